package model

import "time"

// Service keeps a number of tasks of one definition running, and behind a
// target group if it has one.
type Service struct {
	ARN, Name  string
	ClusterARN string
	Cluster    string // its name
	Status     string // "ACTIVE", "DRAINING" or "INACTIVE"

	DesiredCount      int
	TaskDefinitionARN string
	LoadBalancers     []ServiceLoadBalancer
	Network           Network
	Rollout           RolloutConfig
	HealthCheckGrace  time.Duration

	LaunchType           string // "FARGATE", or "" with CapacityProviders
	PlatformVersion      string
	SchedulingStrategy   string
	PropagateTags        string
	EnableECSManagedTags bool
	EnableExecuteCommand bool

	Deployments []Deployment // newest first; the first is PRIMARY
	CreatedAt   time.Time
	CreatedBy   string
	Tags        []Tag
}

// ServiceLoadBalancer puts the service's tasks into a target group.
type ServiceLoadBalancer struct {
	TargetGroupARN string
	ContainerName  string
	ContainerPort  int
}

// Network is the awsvpc configuration of a service or task.
type Network struct {
	Subnets, SecurityGroups []string
	AssignPublicIP          string // "ENABLED" or "DISABLED"
}

// RolloutConfig is the deploymentConfiguration of a service.
type RolloutConfig struct {
	MaximumPercent        int // of desired, rounded down
	MinimumHealthyPercent int // of desired, rounded up
	CircuitBreaker        bool
	Rollback              bool
}

// Deployment is one version of a service being, or having been, rolled out.
type Deployment struct {
	ID                string // "ecs-svc/<19 digits>"
	Status            string // PRIMARY, ACTIVE or INACTIVE
	TaskDefinitionARN string
	Network           Network
	DesiredCount      int
	FailedTasks       int
	RolloutState      string // IN_PROGRESS, COMPLETED or FAILED
	RolloutReason     string
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// ServiceEvent is one line of a service's event log, in ECS's words.
type ServiceEvent struct {
	ID        string
	CreatedAt time.Time
	Message   string
}
