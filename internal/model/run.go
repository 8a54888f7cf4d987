package model

import "time"

// TaskSpec is all that a runtime needs to run one task.
type TaskSpec struct {
	ID        string // 32 hex digits, unique for ever
	Name      string // for people: "CLUSTER/SERVICE" or the family
	CPUUnits  int    // 1024 is one vCPU: the CFS quota of the whole task
	MemoryMiB int    // hard limit of the whole task
	// EphemeralGiB is what all containers of the task together may write, in
	// GiB; 0 is no limit.
	EphemeralGiB int
	Containers   []ContainerSpec
	Volumes      []Volume     // those that containers may mount
	SharePIDs    bool         // its containers see each other's processes
	Architecture Architecture // of its images; "": the machine's
	Router       *LogRouter   // takes the output of containers with a LogTag; nil: none
	// Hosts are names that resolve in all its containers, beside the task's own.
	Hosts []HostName
	// Subnets are those whose addresses it may have: of the first that has one.
	// None, or one whose range is not to be had: it has one of the runtime's own
	// network.
	Subnets []Subnet
	// SecurityGroups of its network interface; none: the default group.
	SecurityGroups []string
	// Labels come back with RunState; the runtime keeps them and reads nothing into them.
	Labels map[string]string
}

// ContainerSpec is one container of a TaskSpec.
type ContainerSpec struct {
	ContainerDefinition
	// ImageDigest is the manifest to run, "sha256:…"; "": what Image names when
	// the task starts.
	ImageDigest string
	Credential  *Credential `json:"-"` // to pull the image with; nil: none
	// Env is final: the definition's, the values of its secrets, and what the
	// platform adds. It is never written down.
	Env []KeyValue `json:"-"`
	// LogSecrets are the values of the log configuration's SecretOptions. They
	// are never written down.
	LogSecrets []KeyValue `json:"-"`
	// LogGroup and LogStream say where output goes; "" keeps it in the runtime.
	LogGroup, LogStream string
	LogTag              string // of its output at the task's Router; "": none goes there
	// Files are what it finds in its file system. They are never written down with
	// the spec.
	Files []File `json:"-"`
}

// Credential opens a registry. It is a secret, and never written down.
type Credential struct {
	Username, Password string
}

// RunState is what a runtime knows of one task. Tasks share nothing but their
// network and IPC namespaces between their own containers.
type RunState struct {
	ID         string
	Labels     map[string]string
	Running    bool // false: every container has ended and all has been released
	IP, MAC    string
	Subnet     string // the ID of the subnet that IP is from; "": the runtime's own network
	Containers []ContainerState
	// Failure is why the task ended where none of its containers is to blame, with
	// ECS's code: of a task that never ran (StartedAt is zero)
	// CannotStartContainerError and its like, of one that did InternalError.
	Failure *Error

	// StoppingAt is when the task began to end, by whatever ends it: containers
	// that ran then were sent their stop signal from that moment on.
	PullStartedAt, PullStoppedAt, StartedAt, StoppingAt, StoppedAt time.Time
}

// ContainerState is what a runtime knows of one container.
type ContainerState struct {
	Name        string
	ImageDigest string
	RuntimeID   string
	Running     bool
	ExitCode    *int   // set once ended; 128+n for signal n
	Reason      string // e.g. "OutOfMemoryError: Container killed due to memory usage"
	Health      string // UNKNOWN, HEALTHY or UNHEALTHY
	// RestartCount is how many times its RestartPolicy has started it again; its
	// ends in between are no ends of a container.
	RestartCount int
	// CreatedAt is when the container was made; StartedAt when it last started, also
	// by its RestartPolicy; FinishedAt when it ended for good. Zero: not yet, or its
	// supervisor is older than these.
	CreatedAt, StartedAt, FinishedAt time.Time
}

// Sample is one reading of a task's consumption.
type Sample struct {
	TaskID    string
	At        time.Time
	CPU       time.Duration // consumed since the task began, all containers
	Throttled time.Duration // spent throttled by the quota since the task began
	Memory    int64         // working set, bytes
}

// ImageConfig is what an image says of how to run it.
type ImageConfig struct {
	Env          []string // "NAME=value"
	EntryPoint   []string
	Command      []string
	WorkingDir   string
	User         string
	StopSignal   string
	ExposedPorts []string
	Volumes      []string // paths that containers write to beside the image
}

// LogLine is one line of output. Message has no line end.
type LogLine struct {
	At      time.Time
	Message string
	Stderr  bool // it was printed to standard error
}
