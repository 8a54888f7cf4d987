package ecs

import (
	"slices"
	"strings"
	"time"

	"neargate/internal/decide/dependency"
	"neargate/internal/model"
)

// checkContainers refuses container definitions that Fargate would in a task of
// so many CPU units and so much memory, in MiB; 0 is not set. ClientException.
func checkContainers(all []model.ContainerDefinition, taskCPU, taskMemory int) error {
	cpu := 0
	for i, c := range all {
		err := firstError(checkContainer(c, taskMemory), checkHealthCheck(c), checkLimits(c), checkRestart(c), checkStart(c), checkTexts(c))
		if err != nil {
			return err
		}
		if cpu += c.CPUUnits; taskCPU > 0 && cpu > taskCPU {
			return client("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.")
		}
		if slices.ContainsFunc(all[:i], func(other model.ContainerDefinition) bool { return other.Name == c.Name }) {
			return client("Container.name should be unique within the task definition. Name: %s", c.Name)
		}
	}
	if !slices.ContainsFunc(all, func(c model.ContainerDefinition) bool { return c.Essential }) {
		return client("A task definition must have at least one essential container.")
	}
	if wrong := dependency.Check(all); wrong != "" {
		return client("%s.", wrong)
	}
	return nil
}

// StopTimeout returns a container's stopTimeout within Fargate's bounds.
// ClientException. [API_ContainerDefinition].
func StopTimeout(container string, seconds int) (time.Duration, error) {
	if seconds < 2 || seconds > 120 {
		return 0, client("Invalid 'stopTimeout' setting for container '%s': it must be between 2 and 120 seconds.", container)
	}
	return time.Duration(seconds) * time.Second, nil
}

func checkContainer(c model.ContainerDefinition, taskMemory int) error {
	switch {
	case !validName(c.Name):
		return client("Container.name contains invalid characters or is not between 1 and 255 characters long.")
	case c.Image == "":
		return client("Container.image should not be null or empty.")
	case c.CPUUnits < 0:
		return client("Invalid 'cpu' setting for container '%s'.", c.Name)
	case c.MemoryMiB != 0 && c.MemoryMiB < 6:
		return client("Invalid 'memory' setting for container '%s'.", c.Name)
	case taskMemory > 0 && c.MemoryMiB > taskMemory:
		return client("The 'memory' setting for container '%s' is greater than for the task.", c.Name)
	case c.MemoryReservationMiB != 0 && c.MemoryReservationMiB < 6:
		return client("Invalid 'memoryReservation' setting for container '%s'.", c.Name)
	case c.MemoryMiB > 0 && c.MemoryReservationMiB > c.MemoryMiB:
		return client("Invalid setting for container '%s'. 'memory' must be greater than or equal to 'memoryReservation'.", c.Name)
	case slices.ContainsFunc(c.Environment, func(kv model.KeyValue) bool { return kv.Name == "" || strings.Contains(kv.Name, "=") }):
		return client("Invalid 'environment' setting for container '%s': a name is empty or not valid.", c.Name)
	}
	return checkPorts(c)
}

// checkHealthCheck: bounds of API_HealthCheck.
func checkHealthCheck(c model.ContainerDefinition) error {
	h := c.HealthCheck
	if h == nil {
		return nil
	}
	outside := func(v time.Duration, low, high int) bool {
		return v < time.Duration(low)*time.Second || v > time.Duration(high)*time.Second
	}
	switch {
	case len(h.Command) == 0 || h.Command[0] != "CMD" && h.Command[0] != "CMD-SHELL":
		return client("Invalid 'healthCheck.command' setting for container '%s': it must begin with CMD or CMD-SHELL.", c.Name)
	case outside(h.Interval, 5, 300):
		return client("Invalid 'healthCheck.interval' setting for container '%s'.", c.Name)
	case outside(h.Timeout, 2, 60):
		return client("Invalid 'healthCheck.timeout' setting for container '%s'.", c.Name)
	case h.Retries < 1 || h.Retries > 10:
		return client("Invalid 'healthCheck.retries' setting for container '%s'.", c.Name)
	case outside(h.StartPeriod, 0, 300):
		return client("Invalid 'healthCheck.startPeriod' setting for container '%s'.", c.Name)
	}
	return nil
}

// ulimits are the limits that AWS knows. [API_Ulimit].
func ulimits() []string {
	return []string{
		"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
	}
}

// capabilities are the names that AWS knows. [API_KernelCapabilities].
func capabilities() []string {
	return []string{
		"ALL", "AUDIT_CONTROL", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK",
		"IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST",
		"NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT",
		"SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM",
	}
}

func checkLimits(c model.ContainerDefinition) error {
	for _, u := range c.Ulimits {
		if !slices.Contains(ulimits(), u.Name) {
			return client("Invalid 'ulimits' setting for container '%s': %s.", c.Name, u.Name)
		}
		if u.Hard >= 0 && (u.Soft > u.Hard || u.Soft < 0) {
			return client("Soft limit exceeds hard limit for ulimit %s.", u.Name)
		}
	}
	for _, name := range c.DropCapabilities {
		if !slices.Contains(capabilities(), name) {
			return client("Invalid 'linuxParameters' setting for container '%s': %s is not a kernel capability.", c.Name, name)
		}
	}
	for _, name := range c.AddCapabilities {
		if name != "SYS_PTRACE" {
			return client("%s is not allowed on Fargate.", name)
		}
	}
	return nil
}
