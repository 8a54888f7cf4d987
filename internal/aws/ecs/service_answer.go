package ecs

import (
	"cmp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// running and pending tasks of one deployment.
type census struct{ running, pending int32 }

// census counts a service's tasks by deployment.
func (s *service) census(svc model.Service) map[string]*census {
	counts := map[string]*census{}
	for _, d := range svc.Deployments {
		counts[d.ID] = &census{}
	}
	for _, t := range s.ecs.Tasks(svc.Cluster) {
		if t.Service != svc.Name {
			continue
		}
		if c := counts[t.DeploymentID]; c != nil {
			countTask(t, &c.running, &c.pending)
		}
	}
	return counts
}

// service is svc as AWS answers it. What waits for steady state counts its
// deployments and compares runningCount with desiredCount.
func (s *service) service(svc model.Service, withTags bool) *types.Service {
	out := &types.Service{
		ServiceArn: aws.String(svc.ARN), ServiceName: aws.String(svc.Name), ClusterArn: aws.String(svc.ClusterARN),
		Status: aws.String(string(svc.Status)), DesiredCount: int32(svc.DesiredCount), TaskDefinition: aws.String(svc.TaskDefinitionARN),
		LaunchType: types.LaunchType(svc.LaunchType), PlatformVersion: aws.String(svc.PlatformVersion), PlatformFamily: aws.String("Linux"),
		SchedulingStrategy: types.SchedulingStrategy(svc.SchedulingStrategy), PropagateTags: types.PropagateTags(svc.PropagateTags),
		DeploymentController:        &types.DeploymentController{Type: types.DeploymentControllerTypeEcs},
		DeploymentConfiguration:     rolloutOf(svc.Rollout),
		AvailabilityZoneRebalancing: types.AvailabilityZoneRebalancing(svc.AZRebalancing), ResourceManagementType: types.ResourceManagementTypeCustomer,
		HealthCheckGracePeriodSeconds: aws.Int32(int32(svc.HealthCheckGrace / time.Second)),
		EnableECSManagedTags:          svc.EnableECSManagedTags, EnableExecuteCommand: svc.EnableExecuteCommand,
		NetworkConfiguration: networkOf(svc.Network), LoadBalancers: loadBalancersOf(svc.LoadBalancers),
		RoleArn:   aws.String("arn:aws:iam::" + s.place.Account + ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"),
		CreatedBy: aws.String(svc.CreatedBy), CreatedAt: aws.Time(svc.CreatedAt), Events: []types.ServiceEvent{},
		ServiceRegistries: registriesOf(svc.Registries), PlacementConstraints: []types.PlacementConstraint{}, PlacementStrategy: []types.PlacementStrategy{},
		Deployments: []types.Deployment{},
	}
	if len(svc.Strategy) > 0 {
		out.CapacityProviderStrategy = strategyOf(svc.Strategy)
	}
	if withTags {
		out.Tags = tagsOf(svc.Tags)
	}
	s.addDeployments(out, svc)
	for _, e := range s.ecs.Events(svc.Cluster, svc.Name) {
		out.Events = append(out.Events, types.ServiceEvent{Id: aws.String(e.ID), CreatedAt: aws.Time(e.CreatedAt), Message: aws.String(e.Message)})
	}
	return out
}

func (s *service) addDeployments(out *types.Service, svc model.Service) {
	if svc.Status == model.Inactive {
		return
	}
	counts := s.census(svc)
	for i, d := range svc.Deployments {
		c := counts[d.ID]
		one := s.deployment(svc, d, *c)
		switch {
		case i > 0 && d.ID == svc.Deployments[0].Progress.Source && svc.Deployments[0].Strategy.Shifts() && svc.Deployments[0].Progress.Stage != model.StageCleanUp:
			one.DesiredCount = int32(svc.DesiredCount)
		case i > 0: // what is replaced wants no more than it has
			one.DesiredCount = c.running + c.pending
		}
		out.RunningCount += c.running
		out.PendingCount += c.pending
		out.Deployments = append(out.Deployments, one)
		out.CurrentServiceRevisions = append(out.CurrentServiceRevisions, types.ServiceCurrentRevisionSummary{
			Arn: aws.String(svc.RevisionARN(d.ID)), RequestedTaskCount: one.DesiredCount, RunningTaskCount: c.running, PendingTaskCount: c.pending,
		})
	}
	if recs := s.ecs.ServiceDeployments(svc); len(recs) > 0 && !recs[0].Status.Ended() {
		out.CurrentServiceDeployment = aws.String(recs[0].ARN)
	}
}

func (s *service) deployment(svc model.Service, d model.Deployment, c census) types.Deployment {
	out := types.Deployment{
		Id: aws.String(d.ID), Status: aws.String(string(d.Status)), TaskDefinition: aws.String(d.TaskDefinitionARN),
		DesiredCount: int32(d.DesiredCount), RunningCount: c.running, PendingCount: c.pending, FailedTasks: int32(d.FailedTasks),
		CreatedAt: aws.Time(d.CreatedAt), UpdatedAt: aws.Time(d.UpdatedAt), LaunchType: types.LaunchType(svc.LaunchType),
		PlatformVersion: aws.String(platform(d.PlatformVersion)), PlatformFamily: aws.String("Linux"), NetworkConfiguration: networkOf(d.Network),
		RolloutState: types.DeploymentRolloutState(d.RolloutState), RolloutStateReason: aws.String(d.RolloutReason),
	}
	if len(svc.Strategy) > 0 {
		out.CapacityProviderStrategy = strategyOf(svc.Strategy)
	}
	out.ServiceConnectConfiguration, out.ServiceConnectResources = s.connectOf(d.Connect)
	return out
}

// platform is the version that LATEST stands for.
func platform(version string) string {
	if version == "LATEST" {
		return "1.4.0"
	}
	return cmp.Or(version, "1.4.0")
}
