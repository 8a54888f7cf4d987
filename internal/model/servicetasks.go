package model

// ServiceTasks is the scheduler's word on which tasks of a service are where,
// for the metric collector.
type ServiceTasks struct {
	Cluster, Service string
	Running          []string // task IDs that are RUNNING and, behind a target group, healthy
	Starting         []string // ordered, not yet serving
	Draining         []string // leaving the target group, containers still running
	CPUUnits         int      // of one task
	MemoryMiB        int      // of one task
	TargetGroupARNs  []string
	Deploying        bool // a rolling deployment is in progress
}
