package scheduler

import (
	"slices"
	"strings"

	"neargate/internal/model"
)

// ServiceDeployments gives the records of a service's deployments, newest first.
func (s *Scheduler) ServiceDeployments(svc model.Service) []ServiceDeployment {
	all := s.history.List(serviceKey(svc) + "/")
	slices.SortFunc(all, func(a, b ServiceDeployment) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all
}

// ServiceDeployment gives a record by the ARN of the service deployment.
func (s *Scheduler) ServiceDeployment(arn string) (ServiceDeployment, bool) {
	prefix, ok := servicePrefix(arn)
	if !ok {
		return ServiceDeployment{}, false
	}
	for _, rec := range s.history.List(prefix) {
		if rec.ARN == arn {
			return rec, true
		}
	}
	return ServiceDeployment{}, false
}

// ServiceRevision gives a record by the ARN of the service revision.
func (s *Scheduler) ServiceRevision(arn string) (ServiceDeployment, bool) {
	prefix, ok := servicePrefix(arn)
	if !ok {
		return ServiceDeployment{}, false
	}
	return s.history.Get(prefix + arn[strings.LastIndex(arn, "/")+1:])
}

// servicePrefix is "CLUSTER/SERVICE/" of an ARN …:KIND/CLUSTER/SERVICE/ID.
func servicePrefix(arn string) (string, bool) {
	tail := model.ARNTail(arn, 1)
	i := strings.LastIndex(tail, "/")
	if i < 0 || strings.Count(tail, "/") != 2 {
		return "", false
	}
	return tail[:i+1], true
}
