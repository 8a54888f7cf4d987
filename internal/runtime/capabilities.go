package runtime

import "net/netip"

// Capabilities is what an engine can do.
type Capabilities struct {
	// CPUUnits and MemoryMiB are what the machines have for tasks, all together,
	// with nothing taken off for what runs beside the tasks; 1024 CPU units are
	// one CPU.
	CPUUnits, MemoryMiB int
	// Network is where tasks get their addresses from. The server reaches every
	// one of these addresses.
	Network netip.Prefix
	// EphemeralLimit reports whether a task's limit of ephemeral storage holds.
	EphemeralLimit bool
}
