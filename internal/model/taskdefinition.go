package model

import "time"

// FargateDiskGiB is the ephemeral storage of a task that asks for none.
const FargateDiskGiB = 20

// TaskDefinition is one immutable revision of a family: what a task runs.
type TaskDefinition struct {
	ARN      string
	Family   string
	Revision int
	Status   Status // ACTIVE, INACTIVE or DELETE_IN_PROGRESS

	CPUUnits     int // of the whole task; 1024 is one vCPU
	MemoryMiB    int // of the whole task
	NetworkMode  string
	Architecture Architecture // "": the machine's
	Containers   []ContainerDefinition
	Volumes      []Volume
	SharePIDs    bool // its containers see each other's processes: pidMode task

	TaskRoleARN      string
	ExecutionRoleARN string

	RegisteredAt   time.Time
	DeregisteredAt time.Time // zero while ACTIVE
	Tags           []Tag

	EphemeralGiB int    // of the task's disk; 0 is Fargate's 20
	RegisteredBy string // an ARN

	// Request is the request that registered the definition, in JSON with AWS's
	// field names, so that Describe returns every field.
	Request []byte
}

// ContainerDefinition is one container of a task definition.
type ContainerDefinition struct {
	Name  string
	Image string // as written by the user
	// RegistrySecret is the ARN of the secret with the credential of the image's
	// registry; "": none.
	RegistrySecret string
	Essential      bool
	EntryPoint     []string // nil: the image's
	Command        []string // nil: the image's
	Environment    []KeyValue
	// EnvironmentFiles are ARNs of S3 objects that hold environment variables.
	EnvironmentFiles []string
	Secrets          []SecretReference // environment variables whose values are looked up at each start
	WorkingDir       string            // "": the image's
	User             string            // "": the image's
	PortMappings     []PortMapping
	CPUUnits         int // 0: shares what the task has
	MemoryMiB        int // hard limit; 0: the task's
	// MemoryReservationMiB is what the container keeps when memory is short; 0: none.
	MemoryReservationMiB int
	// AddCapabilities and DropCapabilities change Docker's set of kernel
	// capabilities; names as in ECS: "SYS_PTRACE", "ALL".
	AddCapabilities, DropCapabilities []string
	DockerLabels                      map[string]string
	StopTimeout                       time.Duration  // 0: 30 s
	Restart                           *RestartPolicy // nil: it ends for good
	Init                              bool           // its program has a first process above it that passes signals on and reaps
	Interactive                       bool           // standard input is open, though nobody writes
	Terminal                          bool           // it has one, to which standard input and output belong
	ReadonlyRoot                      bool
	MountPoints                       []MountPoint
	VolumesFrom                       []VolumesFrom // applied after MountPoints
	Ulimits                           []Ulimit
	// SystemControls are kernel parameters of the task's network and IPC
	// namespaces: "net.core.somaxconn", "kernel.shmmax".
	SystemControls []KeyValue
	// StartTimeout is how long others wait for this one, from its start, before
	// their task is given up; 0: without end.
	StartTimeout time.Duration
	Log          LogConfig
	FireLens     *FireLens // it routes others' output; nil: it does not
	DependsOn    []Dependency
	HealthCheck  *ContainerHealthCheck
	LooseVersion bool // versionConsistency disabled: each task runs what Image names when it starts
}

// KeyValue is an environment variable.
type KeyValue struct {
	Name, Value string
}

// SecretReference is a name whose value is kept elsewhere. ValueFrom is a secret's
// ARN, perhaps followed by ":KEY:STAGE:VERSION", or a parameter's ARN or name.
type SecretReference struct {
	Name, ValueFrom string
}

// PortMapping is a port the container listens on; in awsvpc mode the task's own
// address carries it unchanged.
type PortMapping struct {
	Name          string
	ContainerPort int
	HostPort      int    // 0 or ContainerPort
	Protocol      string // "tcp" or "udp"
	AppProtocol   string // "http", "http2", "grpc" or "", for Service Connect
}

// Ulimit is a resource limit of the container's processes.
type Ulimit struct {
	Name       string // "nofile", …
	Soft, Hard int64
}

// RestartPolicy has a container that ends start again in its place, while its task
// goes on. [API_ContainerRestartPolicy].
type RestartPolicy struct {
	IgnoredExitCodes []int         // with which it ends for good
	AttemptPeriod    time.Duration // how long it must have run; less, and it ends for good
}

// LogConfig says where a container's output goes. Driver "" discards nothing:
// the output is kept by the runtime until the task is removed.
type LogConfig struct {
	Driver  string // "" or one of the Log… constants
	Options map[string]string
	// SecretOptions are options whose values are looked up at each start.
	SecretOptions []SecretReference
}

// Dependency orders the start of containers within a task.
type Dependency struct {
	Container string
	Condition string // START, COMPLETE, SUCCESS or HEALTHY
}

// ContainerHealthCheck is a command run inside the container.
type ContainerHealthCheck struct {
	Command                        []string // ["CMD", …] or ["CMD-SHELL", line]
	Interval, Timeout, StartPeriod time.Duration
	Retries                        int
}
