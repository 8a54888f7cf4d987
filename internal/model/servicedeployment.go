package model

import (
	"strings"
	"time"
)

// DeploymentStatus is the state of a service deployment in ECS's words.
type DeploymentStatus string

// The states of a service deployment.
const (
	DeploymentPending        DeploymentStatus = "PENDING"
	DeploymentInProgress     DeploymentStatus = "IN_PROGRESS"
	DeploymentSuccessful     DeploymentStatus = "SUCCESSFUL"
	DeploymentStopRequested  DeploymentStatus = "STOP_REQUESTED"
	DeploymentStopped        DeploymentStatus = "STOPPED"
	DeploymentBackRequested  DeploymentStatus = "ROLLBACK_REQUESTED"
	DeploymentRollingBack    DeploymentStatus = "ROLLBACK_IN_PROGRESS"
	DeploymentRolledBack     DeploymentStatus = "ROLLBACK_SUCCESSFUL"
	DeploymentRollbackFailed DeploymentStatus = "ROLLBACK_FAILED"
)

// Ended reports whether nothing comes of the deployment any more.
func (s DeploymentStatus) Ended() bool {
	switch s {
	case DeploymentSuccessful, DeploymentStopped, DeploymentRolledBack, DeploymentRollbackFailed:
		return true
	default:
		return false
	}
}

// ServiceDeployment is the record of one deployment, kept after the deployment
// has left its service, together with the service revision it rolled out.
type ServiceDeployment struct {
	ARN, RevisionARN string
	Service          Service  // as it was when the deployment began
	Deployment       string   // "ecs-svc/N"
	SourceRevisions  []string // ARNs
	Status           DeploymentStatus
	StatusReason     string
	FailedTasks      int                   // when it ended
	Tripped          bool                  // its circuit breaker ended it
	Images           map[string]string     // digests that its tasks run, by container
	Stage            Stage                 // that it has reached; "": it goes without
	Placed           []ServiceLoadBalancer `json:",omitempty"` // the target groups that its tasks were put into; nil: those of Service
	Alarms           []string              `json:",omitempty"` // that ended it

	CreatedAt, StartedAt, UpdatedAt, FinishedAt, StoppedAt time.Time

	RollbackARN string // the revision gone back to
	RollbackAt  time.Time
}

// RevisionARN names the service revision that a deployment of s rolls out: its
// number is the deployment's.
func (s Service) RevisionARN(deployment string) string {
	return strings.Replace(s.ARN, ":service/", ":service-revision/", 1) + "/" + strings.TrimPrefix(deployment, "ecs-svc/")
}
