package model

import "time"

// TaskUsage is what a running task and each of its containers have consumed
// since they began.
type TaskUsage struct {
	TaskID     string
	At         time.Time
	Containers []ContainerUsage // in the order of the definition
	Network    NetworkUsage     // all containers of a task share one
	// MachineCPU is the CPU time of the whole machine, idle time included, since
	// a moment that does not change; CPUs is how many it has.
	MachineCPU time.Duration
	CPUs       int
	// CountsDisk reports whether what goes to and from disks is counted.
	CountsDisk bool
	// DiskUsed is what the task has written of its ephemeral storage and not
	// deleted, in bytes; up to half a minute old.
	DiskUsed int64
}

// ContainerUsage is what a container has consumed. One that does not run has
// its name alone.
type ContainerUsage struct {
	Name                            string
	Running                         bool
	CPU                             time.Duration
	Periods, ThrottledPeriods       int64 // of the CPU quota
	Throttled                       time.Duration
	Memory, MemoryPeak, MemoryLimit int64             // bytes; of a container without a limit of its own the task's
	MemoryStat                      map[string]uint64 // as the kernel counts it
	Processes                       int
	DiskReadBytes, DiskWrittenBytes uint64 // of block devices
	DiskReads, DiskWrites           uint64
}

// WorkingSet is the memory that cannot be dropped at once, in bytes.
func (u ContainerUsage) WorkingSet() int64 {
	inactive, ok := u.MemoryStat["total_inactive_file"] // cgroup v1
	if !ok {
		inactive = u.MemoryStat["inactive_file"]
	}
	return max(0, u.Memory-int64(inactive))
}

// NetworkUsage is what has gone over a task's network interface.
type NetworkUsage struct {
	RxBytes, RxPackets, RxErrors, RxDropped uint64 // received by the task
	TxBytes, TxPackets, TxErrors, TxDropped uint64
}
