package model

import (
	"cmp"
	"fmt"
	"time"
)

// TaskStatus is a task's state in ECS's words.
type TaskStatus string

// The states of a task, in the order in which a task goes through them.
const (
	TaskProvisioning   TaskStatus = "PROVISIONING"
	TaskPending        TaskStatus = "PENDING"
	TaskActivating     TaskStatus = "ACTIVATING"
	TaskRunning        TaskStatus = "RUNNING"
	TaskDeactivating   TaskStatus = "DEACTIVATING"
	TaskStopping       TaskStatus = "STOPPING"
	TaskDeprovisioning TaskStatus = "DEPROVISIONING"
	TaskStopped        TaskStatus = "STOPPED"
)

// Task is one running copy of a task definition, as the scheduler keeps it.
type Task struct {
	ID  string // 32 hex digits
	ARN string

	Cluster, ClusterARN string
	Service             string // its name; "" for RunTask
	Group               string // "service:NAME" or "family:NAME"
	StartedBy           string // the deployment's ID, or the caller's word
	DeploymentID        string
	TaskDefinitionARN   string
	CPUUnits, MemoryMiB int
	Architecture        Architecture // of its images; "" in records of servers that ran only their machine's

	LastStatus    TaskStatus
	DesiredStatus TaskStatus // RUNNING or STOPPED
	Health        string     // UNKNOWN, HEALTHY or UNHEALTHY
	IP, MAC       string     // "" until the task has an address
	Subnet        string     // the ID of the one that IP is from; "" where it is from none of them
	Network       Network
	Containers    []Container

	StopCode, StopReason string

	CreatedAt, PullStartedAt, PullStoppedAt, StartedAt time.Time
	StoppingAt, ExecutionStoppedAt, StoppedAt          time.Time

	Tags    []Tag
	Version int // grows with each change

	LoadBalancers        []ServiceLoadBalancer // the target groups it belongs into
	Connect              []ConnectTarget       // the endpoints that it answers for
	ConnectNamespace     string                // the ARN of the one whose endpoints it reaches; "" is none
	Registries           []ServiceRegistry     // of Cloud Map, which it belongs into
	Overrides            []ContainerOverride   // of RunTask
	TaskRoleARN          string                // of RunTask; "" is the definition's, as the next
	ExecutionRoleARN     string
	EphemeralGiB         int    // of RunTask; 0 is the definition's
	LaunchType           string // "FARGATE", or "" with CapacityProvider
	CapacityProvider     string
	PlatformVersion      string
	EnableExecuteCommand bool
	ClientToken          string // of the RunTask request
	Starts               int    // how many times a server has begun to start it
	// ProtectedUntil is how long the task is spared by scale-in and deployments;
	// zero: not at all.
	ProtectedUntil time.Time
}

// Place returns the ID of the subnet that the task is in: that of its address, or
// else the first of those it may be in.
func (t Task) Place() string {
	if t.Subnet == "" && len(t.Network.Subnets) > 0 {
		return t.Network.Subnets[0]
	}
	return t.Subnet
}

// Protected reports whether scale-in and deployments spare the task.
func (t Task) Protected(now time.Time) bool { return now.Before(t.ProtectedUntil) }

// Role returns the role that the task's containers act as, by its name or ARN;
// "": none.
func (t Task) Role(def TaskDefinition) string { return cmp.Or(t.TaskRoleARN, def.TaskRoleARN) }

// CredentialsID is under what the task's containers ask for their credentials.
func (t Task) CredentialsID() string {
	id := t.ID[16:] + t.ID[:16]
	return fmt.Sprintf("%s-%s-4%s-a%s-%s", id[:8], id[8:12], id[13:16], id[17:20], id[20:32])
}

// RuntimeID is the runtime's ID of the i-th container of a task, in the form of
// Fargate: the task's ID and a number.
func RuntimeID(task string, i int) string { return fmt.Sprintf("%s-%010d", task, i+1) }

// Container is one container of a task.
type Container struct {
	ARN, Name           string
	Image, ImageDigest  string
	RuntimeID           string
	LastStatus          TaskStatus // PENDING, RUNNING or STOPPED
	ExitCode            *int
	Reason              string
	CPUUnits, MemoryMiB int
	Health              string // UNKNOWN, HEALTHY or UNHEALTHY
}

// PlacementFailure is a task that RunTask did not start.
type PlacementFailure struct {
	Reason string // RESOURCE:MEMORY, RESOURCE:CPU or ATTRIBUTE
	Detail string
}
