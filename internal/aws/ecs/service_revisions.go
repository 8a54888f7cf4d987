package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// describeServiceRevisions: codes InvalidParameterException; unknown ones are
// failures.
func (s *service) describeServiceRevisions(_ context.Context, in *ecs.DescribeServiceRevisionsInput) (*ecs.DescribeServiceRevisionsOutput, error) {
	if n := len(in.ServiceRevisionArns); n == 0 || n > 20 {
		return nil, invalid("You can describe between 1 and 20 service revisions.")
	}
	out := &ecs.DescribeServiceRevisionsOutput{ServiceRevisions: []types.ServiceRevision{}, Failures: []types.Failure{}}
	for _, arn := range in.ServiceRevisionArns {
		rec, ok := s.ecs.ServiceRevision(arn)
		if !ok {
			out.Failures = append(out.Failures, missing(arn))
			continue
		}
		out.ServiceRevisions = append(out.ServiceRevisions, s.revision(rec))
	}
	return out, nil
}

func (s *service) revision(rec model.ServiceDeployment) types.ServiceRevision {
	svc := rec.Service
	out := types.ServiceRevision{
		ServiceRevisionArn: aws.String(rec.RevisionARN), ServiceArn: aws.String(svc.ARN), ClusterArn: aws.String(svc.ClusterARN),
		TaskDefinition: aws.String(svc.TaskDefinitionARN), LaunchType: types.LaunchType(svc.LaunchType),
		PlatformVersion: aws.String(platform(svc.PlatformVersion)), PlatformFamily: aws.String("Linux"),
		NetworkConfiguration: networkOf(svc.Network), LoadBalancers: loadBalancersOf(svc.LoadBalancers), ServiceRegistries: registriesOf(svc.Registries),
		ResolvedConfiguration: resolvedOf(rec), ContainerImages: s.images(rec), CreatedAt: aws.Time(rec.CreatedAt), Monitoring: monitoringOf(svc.Monitoring),
	}
	if len(svc.Strategy) > 0 {
		out.CapacityProviderStrategy = strategyOf(svc.Strategy)
	}
	out.ServiceConnectConfiguration, _ = s.connectOf(svc.Connect)
	return out
}

// images are the revision's images, with the digests that its tasks run.
func (s *service) images(rec model.ServiceDeployment) []types.ContainerImage {
	all := []types.ContainerImage{}
	def, _ := s.ecs.TaskDefinition(rec.Service.TaskDefinitionARN)
	for _, c := range def.Containers {
		all = append(all, types.ContainerImage{ContainerName: aws.String(c.Name), Image: aws.String(c.Image), ImageDigest: text(rec.Images[c.Name])})
	}
	return all
}

// resolvedOf are the target groups that the revision's tasks were put into.
func resolvedOf(rec model.ServiceDeployment) *types.ResolvedConfiguration {
	lbs := rec.Placed
	if lbs == nil {
		lbs = rec.Service.LoadBalancers
	}
	out := &types.ResolvedConfiguration{LoadBalancers: []types.ServiceRevisionLoadBalancer{}}
	for _, lb := range lbs {
		out.LoadBalancers = append(out.LoadBalancers, types.ServiceRevisionLoadBalancer{
			TargetGroupArn: aws.String(lb.TargetGroupARN), ProductionListenerRule: text(lb.ProductionRule),
		})
	}
	return out
}
