package model

import (
	"slices"
	"time"
)

// Service keeps a number of tasks of one definition running, and behind a
// target group if it has one.
type Service struct {
	ARN, Name  string
	ClusterARN string
	Cluster    string // its name
	Status     Status // ACTIVE, DRAINING or INACTIVE

	DesiredCount      int
	TaskDefinitionARN string
	LoadBalancers     []ServiceLoadBalancer
	Connect           *ServiceConnect // nil: it takes no part in Service Connect
	Registries        []ServiceRegistry
	Network           Network
	Rollout           RolloutConfig
	HealthCheckGrace  time.Duration

	LaunchType           string // "FARGATE", or "" with CapacityProviders
	PlatformVersion      string
	SchedulingStrategy   string
	PropagateTags        string
	EnableECSManagedTags bool
	EnableExecuteCommand bool
	Monitoring           []MetricResolution

	Deployments []Deployment // newest first; the first is PRIMARY
	CreatedAt   time.Time
	CreatedBy   string
	Tags        []Tag

	Strategy      []CapacityProviderShare // instead of LaunchType
	AZRebalancing string                  // ENABLED or DISABLED
	ClientToken   string                  // of the request that created it
	ClientRequest string                  // what of that request must be the same when the token comes again
	InactiveAt    time.Time               // when Status became INACTIVE
}

// ServiceLoadBalancer puts the service's tasks into a target group. Deployments
// that shift traffic put the tasks of one revision into it and those of the next
// into the alternate group.
type ServiceLoadBalancer struct {
	TargetGroupARN string
	ContainerName  string
	ContainerPort  int

	AlternateARN   string `json:",omitempty"` // the other target group; "": no traffic is shifted
	ProductionRule string `json:",omitempty"` // ARN of the rule that production traffic follows
	TestRule       string `json:",omitempty"` // ARN of the rule that test traffic follows; "": none
	RoleARN        string `json:",omitempty"`
}

// Alternating returns lb with its two target groups exchanged.
func (lb ServiceLoadBalancer) Alternating() ServiceLoadBalancer {
	lb.TargetGroupARN, lb.AlternateARN = lb.AlternateARN, lb.TargetGroupARN
	return lb
}

// TargetGroups returns the ARNs of the target groups that the service's tasks may
// be in, alternate ones too.
func (s Service) TargetGroups() []string {
	var all []string
	for _, lb := range s.LoadBalancers {
		all = append(all, lb.TargetGroupARN)
		if lb.AlternateARN != "" {
			all = append(all, lb.AlternateARN)
		}
	}
	return all
}

// ServiceRegistry makes the service's tasks instances of a service of Cloud Map.
// Their port is Port, or that of the container, which is given with its name.
type ServiceRegistry struct {
	RegistryARN   string
	Port          int
	ContainerName string
	ContainerPort int
}

// MetricResolution is how finely metrics of a service are published, by its
// metricConfigurations.
type MetricResolution struct {
	Metrics    []string // CPUUtilization, MemoryUtilization
	Resolution time.Duration
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
	ThresholdType         string // of the circuit breaker: BOUNDED_PERCENT ("" too), UNBOUNDED_PERCENT or COUNT
	ThresholdValue        int    // percent of desired, or the count; 0 is 50 %
	KeepFailures          bool   // a healthy task does not reset the failure count

	Strategy Strategy // of deployments to come
}

// Deployment is one version of a service being, or having been, rolled out.
type Deployment struct {
	ID                string // "ecs-svc/<19 digits>"
	Status            Status // PRIMARY or ACTIVE
	TaskDefinitionARN string
	Network           Network
	DesiredCount      int
	FailedTasks       int
	RolloutState      string // IN_PROGRESS, COMPLETED or FAILED
	RolloutReason     string
	CreatedAt         time.Time
	UpdatedAt         time.Time

	LoadBalancers   []ServiceLoadBalancer // of its tasks
	Connect         *ServiceConnect       // of its tasks
	Registries      []ServiceRegistry     // the same
	PlatformVersion string
	Strategy        Strategy // by which it is rolled out, whatever the service's is by now
	Progress        Progress // how far it has come by stages
	// Images are the digests that its tasks run, by container; nil: not resolved
	// yet.
	Images map[string]string
	// StartFailures counts rounds of tasks that never ran since one last did;
	// StartFailedAt is when the last of them was counted.
	StartFailures int
	StartFailedAt time.Time
	// Crashes counts rounds of tasks that ran and soon ended by themselves,
	// since one last lived longer; CrashedAt is when the last was counted.
	Crashes   int
	CrashedAt time.Time
}

// ServiceEvent is one line of a service's event log, in ECS's words.
type ServiceEvent struct {
	ID        string
	CreatedAt time.Time
	Message   string
}

// ChangeDeployment changes one deployment of s in a copy of the list.
func (s *Service) ChangeDeployment(id string, change func(*Deployment)) {
	all := slices.Clone(s.Deployments)
	for i := range all {
		if all[i].ID == id {
			change(&all[i])
		}
	}
	s.Deployments = all
}
