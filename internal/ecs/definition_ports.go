package ecs

import (
	"slices"
	"strconv"
	"strings"

	"neargate/internal/model"
)

// checkPorts refuses port mappings that Fargate would. [API_PortMapping].
func checkPorts(c model.ContainerDefinition) error {
	for i, p := range c.PortMappings {
		same := func(o model.PortMapping) bool { return o.ContainerPort == p.ContainerPort && o.Protocol == p.Protocol }
		switch {
		case p.ContainerPort < 1 || p.ContainerPort > 65535:
			return client("Invalid 'containerPort' setting for container '%s'.", c.Name)
		case p.HostPort != 0 && p.HostPort != p.ContainerPort:
			return client("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
		case p.Protocol != "tcp" && p.Protocol != "udp":
			return client("Invalid 'protocol' setting for container '%s'.", c.Name)
		case !portName(p.Name):
			return client("Invalid 'portMappings.name' setting for container '%s': it may have 64 lowercase letters, numbers, underscores and hyphens, and not begin with a hyphen.", c.Name)
		case !slices.Contains([]string{"", "http", "http2", "grpc"}, p.AppProtocol):
			return client("Invalid 'appProtocol' setting for container '%s'.", c.Name)
		case slices.ContainsFunc(c.PortMappings[:i], same):
			return client("Duplicate port mapping %d/%s in container '%s'.", p.ContainerPort, p.Protocol, c.Name)
		}
	}
	return nil
}

// portName reports whether a port may have a name; "" is none.
func portName(name string) bool {
	return len(name) <= 64 && !strings.HasPrefix(name, "-") && strings.Trim(name, "0123456789abcdefghijklmnopqrstuvwxyz_-") == ""
}

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
