package ecs

import (
	"strconv"
	"strings"
)

// CheckPortRange refuses a container's range of ports that is none, or that stands
// beside a single port. ClientException. [API_PortMapping].
func CheckPortRange(container, ports string, single bool) error {
	if single {
		return client("cannot specify both single port and port range")
	}
	low, high, ok := strings.Cut(ports, "-")
	from, err := strconv.Atoi(low)
	to, errTo := strconv.Atoi(high)
	if !ok || err != nil || errTo != nil || from < 1 || to > 65535 || from > to {
		return client("Invalid 'containerPortRange' setting for container '%s': '%s'.", container, ports)
	}
	return nil
}
