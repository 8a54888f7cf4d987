package ecs

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// describeServices: codes ClusterNotFoundException, InvalidParameterException;
// unknown services are failures.
func (s *service) describeServices(_ context.Context, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	c, err := s.ecs.ActiveCluster(aws.ToString(in.Cluster))
	if err != nil {
		return nil, err
	}
	if n := len(in.Services); n == 0 || n > 10 {
		return nil, invalid("You can describe between 1 and 10 services.")
	}
	out := &ecs.DescribeServicesOutput{Services: []types.Service{}, Failures: []types.Failure{}}
	for _, name := range in.Services {
		svc, ok := s.ecs.Service(c.Name, name)
		if !ok {
			out.Failures = append(out.Failures, missing(s.place.ServiceARN(c.Name, model.ARNTail(name, 2))))
			continue
		}
		out.Services = append(out.Services, *s.service(svc, slices.Contains(in.Include, types.ServiceFieldTags)))
	}
	return out, nil
}

// listServices: codes ClusterNotFoundException, InvalidParameterException.
func (s *service) listServices(_ context.Context, in *ecs.ListServicesInput) (*ecs.ListServicesOutput, error) {
	c, err := s.ecs.ActiveCluster(aws.ToString(in.Cluster))
	if err != nil {
		return nil, err
	}
	var arns []string
	for _, svc := range s.ecs.Services(c.Name) {
		wanted := (in.LaunchType == "" || string(in.LaunchType) == svc.LaunchType) &&
			(in.SchedulingStrategy == "" || string(in.SchedulingStrategy) == svc.SchedulingStrategy) &&
			(in.ResourceManagementType == "" || in.ResourceManagementType == types.ResourceManagementTypeCustomer)
		if svc.Status != model.Inactive && wanted {
			arns = append(arns, svc.ARN)
		}
	}
	slices.Sort(arns)
	arns, next, err := page(arns, self, pageRequest{in.NextToken, in.MaxResults, 10})
	if err != nil {
		return nil, err
	}
	return &ecs.ListServicesOutput{ServiceArns: arns, NextToken: next}, nil
}

// deleteService: codes ClusterNotFoundException, ServiceNotFoundException,
// ServiceNotActiveException, InvalidParameterException.
func (s *service) deleteService(ctx context.Context, in *ecs.DeleteServiceInput) (*ecs.DeleteServiceOutput, error) {
	svc, err := s.ecs.DeleteService(ctx, aws.ToString(in.Cluster), aws.ToString(in.Service), aws.ToBool(in.Force))
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteServiceOutput{Service: s.service(svc, true)}, nil
}
