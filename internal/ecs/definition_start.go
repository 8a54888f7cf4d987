package ecs

import (
	"slices"
	"strings"

	"neargate/internal/model"
)

// checkStart refuses what a container of Fargate's cannot be started with.
func checkStart(c model.ContainerDefinition) error {
	if c.StartTimeout < 0 { // AWS documents 120 s as the most on Fargate, and takes more
		return client("Invalid 'startTimeout' setting for container '%s': it must not be negative.", c.Name)
	}
	for _, kv := range c.SystemControls {
		if !systemControl(kv.Name) {
			return client("Invalid 'systemControls' setting for container '%s': the namespace %s is not supported.", c.Name, kv.Name)
		}
	}
	return nil
}

// systemControl reports whether a kernel parameter is of a network or an IPC
// namespace. [API_SystemControl].
func systemControl(name string) bool {
	if strings.Trim(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") != "" || strings.HasSuffix(name, ".") {
		return false
	}
	return strings.HasPrefix(name, "net.") || strings.HasPrefix(name, "fs.mqueue.") || slices.Contains([]string{
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
	}, name)
}
