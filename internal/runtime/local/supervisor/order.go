package supervisor

import (
	"net"
	"net/netip"
	"time"

	"neargate/internal/runtime/local/confine"
	"neargate/internal/runtime/local/logfile"
)

// Order is all that a supervisor needs to run a task.
type Order struct {
	Dir        string // the task's own directory, which the supervisor writes into
	CgroupPath string // the task's cgroup, below the root of every hierarchy
	CPUQuota   time.Duration
	CPUPeriod  time.Duration
	DiskBytes  int64 // what all containers together may write; 0: any amount
	Hostname   string
	Address    netip.Addr // of eth0
	Gateway    netip.Addr
	GatewayMAC net.HardwareAddr
	Resolv     string   // the text of /etc/resolv.conf
	Hosts      []string // more lines of /etc/hosts
	Filter     []byte   // the seccomp program
	Profile    string   // of AppArmor, loaded; "": none
	Labels     confine.Labels
	SharePIDs  bool        // the containers see each other's processes
	Sysctls    []Sysctl    // of the task's network and IPC namespaces
	Containers []Container // in the order of their definition
}

// Container is one container of an Order.
type Container struct {
	Name        string
	ID          string   // unique for ever
	Layers      []string // overlayfs lower directories, lowest first
	Args        []string
	Env         []string // "NAME=value"; the supervisor adds PATH and HOSTNAME where missing
	WorkingDir  string
	User        string // "", "uid", "name", "uid:gid", "name:group"
	MemoryBytes int64  // hard limit of its own; 0: none
	// MemoryReservationBytes is what the container keeps when memory is short;
	// 0: none.
	MemoryReservationBytes int64
	// AddCapabilities and DropCapabilities change Capabilities; names without
	// CAP_, or ALL.
	AddCapabilities, DropCapabilities []string
	CPUShares                         uint64 // of the task's CPU; 0: the kernel's default
	ReadonlyRoot                      bool
	Mounts                            []Mount // in the order in which they are mounted
	Ulimits                           []Ulimit
	Essential                         bool
	StopSignal                        string // "SIGTERM", "15", "" is SIGTERM
	StopTimeout                       time.Duration
	StartTimeout                      time.Duration // how long others wait for it, from its start; 0: without end
	Restart                           *Restart      // nil: it ends for good
	Init                              bool          // it is not the first process of its pid namespace, but a holder is
	Interactive                       bool          // its standard input stays open
	Terminal                          bool          // it prints to one, to which its standard input belongs too
	DependsOn                         []Dependency
	Check                             *Check
	LogBuffer                         logfile.Buffer // of output that nobody has taken yet
	LogTo                             string         // the container that the engine sends its output to; "": none
	Files                             []File         // that it finds, mounted after Mounts
}

// Sysctl is a kernel parameter: "net.core.somaxconn".
type Sysctl struct{ Name, Value string }

// Mount is a directory of the machine's that a container sees.
type Mount struct {
	Source   string // made when it is not there, but for a Shared one
	Path     string // in the container
	ReadOnly bool
	Fill     bool // an empty Source gets what the image has at Path
	Shared   *Shared
}

// Shared is a directory that others use as well: Source is what it is mounted on
// first, in this task's mount namespace alone.
type Shared struct {
	Base string // nothing outside is reached
	Path string // below Base
	User *User  // as whom all files are used; nil: as who a process is
}

// User is a user by numbers.
type User struct{ UID, GID int64 }

// Ulimit is a limit by the name that setrlimit(2) has for it in lower case.
type Ulimit struct {
	Name       string
	Soft, Hard int64 // negative: unlimited
}

// Dependency makes a container wait for another.
type Dependency struct {
	Container string
	Condition string // START, COMPLETE, SUCCESS or HEALTHY
}

// Check is a command run inside the container to find out its health.
type Check struct {
	Args                           []string
	Interval, Timeout, StartPeriod time.Duration
	Retries                        int
}

// Phase is where a task stands.
type Phase string

// The phases, in order.
const (
	Waiting  Phase = ""         // no order yet
	Starting Phase = "starting" // containers are being started
	Running  Phase = "running"  // every container has been started
	Ended    Phase = "ended"    // every container has ended; the supervisor is about to exit
)

// Report is a supervisor's whole knowledge of its task.
type Report struct {
	Phase   Phase
	Failure string // why the task could not be started; "" when it was
	// FailedContainer is the one that could not be started; "": the failure is none's.
	FailedContainer string
	Waited          bool   // that was because a container waited in vain for another
	EndedBy         string // the essential container whose end is the task's; "": none
	StartedAt       time.Time
	// StoppingAt is when the task began to end, whatever ends it.
	StoppingAt time.Time
	EndedAt    time.Time
	// PreparedCPU is what the task's cgroup had consumed before the first of
	// the user's programs began: the making of its container.
	PreparedCPU time.Duration
	DiskUsed    int64 // bytes written by all containers together, as last measured
	Containers  []ContainerReport
}

// ContainerReport is a container's part of a Report.
type ContainerReport struct {
	Name     string
	Running  bool
	Started  bool
	ExitCode *int   // set once it has ended; 128+n for signal n
	Reason   string // why it ended, where that is known
	Health   string // UNKNOWN, HEALTHY or UNHEALTHY

	// CreatedAt, StartedAt and EndedAt are of the container: its first start, and
	// the last start and end.
	CreatedAt, StartedAt, EndedAt time.Time

	RestartCount int
}

// Command is what the engine asks of a supervisor. Exactly one field is set.
type Command struct {
	Start *Order
	Stop  *Stop
	Kill  *Kill
	Exec  *Exec
}

// Kill ends the task at once.
type Kill struct {
	Reason string // of every container that runs
}

// Stop asks for the task's end.
type Stop struct {
	Timeout time.Duration // for containers without a StopTimeout of their own
}

// ReasonOutOfMemory is ECS's reason for a container that the kernel killed for
// want of memory.
const ReasonOutOfMemory = "OutOfMemoryError: Container killed due to memory usage"
