package ecs

import (
	"strings"

	"neargate/internal/model"
)

// ServiceDeployments returns the records of a service's deployments, newest
// first.
func (c *Catalogue) ServiceDeployments(svc model.Service) []model.ServiceDeployment {
	return newestFirst(c.history.List(serviceKey(svc) + "/"))
}

// ServiceDeployment returns a record by the ARN of the service deployment.
func (c *Catalogue) ServiceDeployment(arn string) (model.ServiceDeployment, bool) {
	prefix, ok := servicePrefix(arn)
	if !ok {
		return model.ServiceDeployment{}, false
	}
	for _, rec := range c.history.List(prefix) {
		if rec.ARN == arn {
			return rec, true
		}
	}
	return model.ServiceDeployment{}, false
}

// ServiceRevision returns a record by the ARN of the service revision.
func (c *Catalogue) ServiceRevision(arn string) (model.ServiceDeployment, bool) {
	prefix, ok := servicePrefix(arn)
	if !ok {
		return model.ServiceDeployment{}, false
	}
	return c.history.Get(prefix + arn[strings.LastIndex(arn, "/")+1:])
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
