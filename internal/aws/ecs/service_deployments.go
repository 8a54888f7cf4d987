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
			CreatedAt: aws.Time(rec.CreatedAt), StartedAt: startOf(rec), FinishedAt: moment(rec.FinishedAt),
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
