package ecs

import (
	"time"

	"neargate/internal/model"
)

// ServiceSettings are what CreateService sets and UpdateService changes; nil
// leaves a part as it is, or as AWS sets it by default.
type ServiceSettings struct {
	// What tasks are made of: a change starts a deployment.
	TaskDefinition  *string // FAMILY, FAMILY:REVISION or an ARN
	Network         *model.Network
	LoadBalancers   []model.ServiceLoadBalancer // empty but not nil: none
	Registries      []model.ServiceRegistry     // the same
	Connect         *ConnectSettings            // of Service Connect
	PlatformVersion *string
	Monitoring      []model.MetricResolution // empty but not nil: none

	// The rest, which starts none.
	DesiredCount   *int
	Grace          *time.Duration
	Rollout        RolloutSettings
	Strategy       []model.CapacityProviderShare // empty but not nil: FARGATE
	AZRebalancing  *string
	PropagateTags  *string
	ManagedTags    *bool
	ExecuteCommand *bool
}

const (
	rebalancingOn  = "ENABLED"
	rebalancingOff = "DISABLED"
)

// apply changes svc as asked.
func (s ServiceSettings) apply(t tables, svc *model.Service) error {
	return firstError(s.applyTasks(t, svc), s.applyService(svc), checkShifting(*svc), checkConnectShift(svc))
}

// applyTasks changes what tasks are made of.
func (s ServiceSettings) applyTasks(t tables, svc *model.Service) error {
	def, _ := findDefinition(t.definitions, svc.TaskDefinitionARN)
	if s.TaskDefinition != nil {
		var err error
		if def, err = runnable(t.definitions, *s.TaskDefinition); err != nil {
			return err
		}
		svc.TaskDefinitionARN = def.ARN
	}
	if s.Network != nil {
		if err := checkNetwork(*s.Network); err != nil {
			return err
		}
		svc.Network = *s.Network
	}
	if s.PlatformVersion != nil {
		if err := checkVersion(*s.PlatformVersion); err != nil {
			return err
		}
		svc.PlatformVersion = *s.PlatformVersion
	}
	if s.Monitoring != nil {
		if err := checkMonitoring(s.Monitoring); err != nil {
			return err
		}
		svc.Monitoring = orNil(s.Monitoring)
	}
	if s.LoadBalancers != nil {
		svc.LoadBalancers = orNil(s.LoadBalancers)
	}
	if s.Registries != nil {
		svc.Registries = orNil(s.Registries)
	}
	for _, lb := range svc.LoadBalancers {
		if err := checkPort(lb, def); err != nil {
			return err
		}
	}
	for _, r := range svc.Registries {
		if err := checkRegistryPort(r, def); err != nil {
			return err
		}
	}
	if s.Connect != nil {
		svc.Connect = s.Connect.made
	}
	return firstError(s.checkExec(svc, def), t.connect(svc, def))
}

// checkExec refuses ECS Exec without a task role, which its agent needs on AWS.
func (s ServiceSettings) checkExec(svc *model.Service, def model.TaskDefinition) error {
	on := svc.EnableExecuteCommand
	set(&on, s.ExecuteCommand)
	asked := s.ExecuteCommand != nil || s.TaskDefinition != nil
	if !asked || !on || def.TaskRoleARN != "" {
		return nil
	}
	if len(svc.Deployments) == 0 { // it is being created
		return errNoTaskRole("service couldn't be created")
	}
	return errNoTaskRole("service couldn't be updated")
}

// errNoTaskRole is AWS's sentence for ECS Exec without a task role.
func errNoTaskRole(what string) error {
	return invalid("The %s because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.", what)
}

// applyService changes the rest.
func (s ServiceSettings) applyService(svc *model.Service) error {
	if err := s.Rollout.apply(&svc.Rollout); err != nil {
		return err
	}
	if s.Strategy != nil {
		if err := checkStrategy(s.Strategy); err != nil {
			return err
		}
		svc.LaunchType, svc.Strategy = "", orNil(s.Strategy)
		if svc.Strategy == nil {
			svc.LaunchType = launchFargate
		}
	}
	if s.Grace != nil {
		switch {
		case *s.Grace < 0:
			return invalid("healthCheckGracePeriodSeconds cannot be negative.")
		case *s.Grace > 0 && len(svc.LoadBalancers) == 0:
			return invalid("Health check grace period is only valid for services configured to use load balancers")
		}
		svc.HealthCheckGrace = *s.Grace
	}
	if s.DesiredCount != nil {
		if *s.DesiredCount > maxDesired {
			return invalid("desiredCount cannot be more than %d.", maxDesired)
		}
		svc.DesiredCount = *s.DesiredCount
	}
	set(&svc.AZRebalancing, s.AZRebalancing)
	if svc.Rollout.MaximumPercent <= 100 {
		svc.AZRebalancing = rebalancingOff
	}
	set(&svc.PropagateTags, s.PropagateTags)
	set(&svc.EnableECSManagedTags, s.ManagedTags)
	set(&svc.EnableExecuteCommand, s.ExecuteCommand)
	return nil
}

// orNil returns nil for an empty list, as records have it.
func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

func set[T any](to, v *T) {
	if v != nil {
		*to = *v
	}
}
