package ecs

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// listServiceDeployments: codes ClusterNotFoundException,
// ServiceNotFoundException, InvalidParameterException.
func (s *service) listServiceDeployments(_ context.Context, in *ecs.ListServiceDeploymentsInput) (*ecs.ListServiceDeploymentsOutput, error) {
	cluster, name := aws.ToString(in.Cluster), aws.ToString(in.Service)
	if a, ok := model.ParseARN(name); ok && strings.Count(a.Resource, "/") == 2 {
		cluster = strings.Split(a.Resource, "/")[1]
	}
	svc, err := s.ecs.FindService(cluster, name)
	if err != nil {
		return nil, err
	}
	var wanted []model.ServiceDeployment
	for _, rec := range s.ecs.ServiceDeployments(svc) { // newest first
		if len(in.Status) > 0 && !slices.Contains(in.Status, types.ServiceDeploymentStatus(rec.Status)) {
			continue
		}
		if within(rec.CreatedAt, in.CreatedAt) {
			wanted = append(wanted, rec)
		}
	}
	// Newer ones sort first, so the key falls with time.
	wanted, next, err := page(wanted, func(rec model.ServiceDeployment) string {
		return fmt.Sprintf("%019d", math.MaxInt64-rec.CreatedAt.UnixNano())
	}, pageRequest{in.NextToken, in.MaxResults, 100})
	if err != nil {
		return nil, err
	}
	out := &ecs.ListServiceDeploymentsOutput{ServiceDeployments: []types.ServiceDeploymentBrief{}, NextToken: next}
	for _, rec := range wanted {
		out.ServiceDeployments = append(out.ServiceDeployments, types.ServiceDeploymentBrief{
			ServiceDeploymentArn: aws.String(rec.ARN), ServiceArn: aws.String(rec.Service.ARN), ClusterArn: aws.String(rec.Service.ClusterARN),
			TargetServiceRevisionArn: aws.String(rec.RevisionARN), Status: types.ServiceDeploymentStatus(rec.Status), StatusReason: text(rec.StatusReason),
			CreatedAt: aws.Time(rec.CreatedAt), StartedAt: aws.Time(rec.CreatedAt), FinishedAt: moment(rec.FinishedAt),
		})
	}
	return out, nil
}

func within(t time.Time, w *types.CreatedAt) bool {
	if w == nil {
		return true
	}
	return (w.After == nil || t.After(*w.After)) && (w.Before == nil || t.Before(*w.Before))
}

// describeServiceDeployments: codes InvalidParameterException; unknown ones are
// failures.
func (s *service) describeServiceDeployments(_ context.Context, in *ecs.DescribeServiceDeploymentsInput) (*ecs.DescribeServiceDeploymentsOutput, error) {
	if n := len(in.ServiceDeploymentArns); n == 0 || n > 20 {
		return nil, invalid("You can describe between 1 and 20 service deployments.")
	}
	out := &ecs.DescribeServiceDeploymentsOutput{ServiceDeployments: []types.ServiceDeployment{}, Failures: []types.Failure{}}
	for _, arn := range in.ServiceDeploymentArns {
		rec, ok := s.ecs.ServiceDeployment(arn)
		if !ok {
			out.Failures = append(out.Failures, missing(arn))
			continue
		}
		out.ServiceDeployments = append(out.ServiceDeployments, s.serviceDeployment(rec))
	}
	return out, nil
}

func (s *service) serviceDeployment(rec model.ServiceDeployment) types.ServiceDeployment {
	svc := rec.Service
	now, _ := s.ecs.Service(svc.Cluster, svc.Name)
	counts := s.census(now)
	summary := func(revision string, requested int) types.ServiceRevisionSummary {
		out := types.ServiceRevisionSummary{Arn: aws.String(revision), RequestedTaskCount: int32(requested)}
		if c := counts["ecs-svc/"+revision[strings.LastIndex(revision, "/")+1:]]; c != nil {
			out.RunningTaskCount, out.PendingTaskCount = c.running, c.pending
		}
		return out
	}
	target := summary(rec.RevisionARN, now.DesiredCount)
	out := types.ServiceDeployment{
		ServiceDeploymentArn: aws.String(rec.ARN), ServiceArn: aws.String(svc.ARN), ClusterArn: aws.String(svc.ClusterARN),
		Status: types.ServiceDeploymentStatus(rec.Status), StatusReason: text(rec.StatusReason),
		CreatedAt: aws.Time(rec.CreatedAt), StartedAt: aws.Time(rec.CreatedAt), UpdatedAt: aws.Time(rec.UpdatedAt),
		FinishedAt: moment(rec.FinishedAt), StoppedAt: moment(rec.StoppedAt),
		TargetServiceRevision: &target, SourceServiceRevisions: []types.ServiceRevisionSummary{},
		DeploymentConfiguration: rolloutOf(svc.Rollout), DeploymentCircuitBreaker: breaker(rec, now),
	}
	for _, revision := range rec.SourceRevisions {
		out.SourceServiceRevisions = append(out.SourceServiceRevisions, summary(revision, 0))
	}
	if rec.RollbackARN != "" {
		out.Rollback = &types.Rollback{ServiceRevisionArn: aws.String(rec.RollbackARN), Reason: aws.String(rec.StatusReason), StartedAt: moment(rec.RollbackAt)}
	}
	return out
}

// breaker is the state of the deployment's circuit breaker.
func breaker(rec model.ServiceDeployment, now model.Service) *types.ServiceDeploymentCircuitBreaker {
	out := &types.ServiceDeploymentCircuitBreaker{
		Status: types.ServiceDeploymentRollbackMonitorsStatusDisabled, Threshold: int32(rollout.Threshold(now.Rollout, now.DesiredCount)),
	}
	if !rec.Service.Rollout.CircuitBreaker {
		return out
	}
	out.FailureCount = int32(rec.FailedTasks)
	switch {
	case rec.Status == model.DeploymentInProgress:
		out.Status = types.ServiceDeploymentRollbackMonitorsStatusMonitoring
	case rec.Tripped:
		out.Status = types.ServiceDeploymentRollbackMonitorsStatusTriggered
	default:
		out.Status = types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	}
	for _, d := range now.Deployments {
		if d.ID == rec.Deployment && rec.Status == model.DeploymentInProgress {
			out.FailureCount = int32(d.FailedTasks)
		}
	}
	return out
}

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
		NetworkConfiguration: networkOf(svc.Network), LoadBalancers: loadBalancersOf(svc.LoadBalancers),
		ContainerImages: s.images(rec), CreatedAt: aws.Time(rec.CreatedAt), Monitoring: monitoringOf(svc.Monitoring),
	}
	if len(svc.Strategy) > 0 {
		out.CapacityProviderStrategy = strategyOf(svc.Strategy)
	}
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
