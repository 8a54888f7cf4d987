package scheduler

import (
	"context"
	"strings"
	"time"

	"neargate/internal/model"
)

// keptDeployments is how many service deployments are kept for each service.
const keptDeployments = 100

// ServiceDeployment is the record of one deployment, kept after the deployment
// has left its service, together with the service revision it rolled out.
type ServiceDeployment struct {
	ARN, RevisionARN string
	Service          model.Service // as it was when the deployment began
	Deployment       string        // "ecs-svc/N"
	SourceRevisions  []string      // ARNs
	Status           string        // of ListServiceDeployments
	StatusReason     string
	FailedTasks      int

	CreatedAt, UpdatedAt, FinishedAt, StoppedAt time.Time

	RollbackARN string // the revision gone back to
	RollbackAt  time.Time
}

// The states of a service deployment.
const (
	deploying   = "IN_PROGRESS"
	successful  = "SUCCESSFUL"
	stopped     = "STOPPED"
	rollingBack = "ROLLBACK_IN_PROGRESS"
	rolledBack  = "ROLLBACK_SUCCESSFUL"
)

func deploymentNumber(id string) string { return strings.TrimPrefix(id, "ecs-svc/") }

// RevisionARN names the service revision of a deployment: its number is the
// deployment's.
func (s *Scheduler) RevisionARN(svc model.Service, deployment string) string {
	return strings.Replace(svc.ARN, ":service/", ":service-revision/", 1) + "/" + deploymentNumber(deployment)
}

// recordDeployment notes the begin of the primary deployment and that it ends
// those still under way.
func (s *Scheduler) recordDeployment(ctx context.Context, svc model.Service) error {
	primary := svc.Deployments[0]
	now := time.Now()
	rec := ServiceDeployment{
		ARN:         strings.Replace(svc.ARN, ":service/", ":service-deployment/", 1) + "/" + newServiceDeploymentID(),
		RevisionARN: s.RevisionARN(svc, primary.ID), Service: svc, Deployment: primary.ID,
		Status: deploying, CreatedAt: now, UpdatedAt: now,
	}
	for _, d := range svc.Deployments[1:] {
		rec.SourceRevisions = append(rec.SourceRevisions, s.RevisionARN(svc, d.ID))
		err := s.changeHistory(ctx, svc, d.ID, func(old *ServiceDeployment) {
			if old.Status == deploying {
				old.Status, old.StatusReason = stopped, "Service deployment was stopped because a newer service deployment replaced it."
				old.StoppedAt, old.FinishedAt = now, now
			}
		})
		if err != nil {
			return err
		}
	}
	if err := s.history.Put(ctx, historyKey(svc, primary.ID), rec); err != nil {
		return err
	}
	return s.pruneHistory(ctx, svc)
}

func historyKey(svc model.Service, deployment string) string {
	return serviceKey(svc) + "/" + deploymentNumber(deployment)
}

// changeHistory changes the record of a deployment, if there is one.
func (s *Scheduler) changeHistory(ctx context.Context, svc model.Service, deployment string, change func(*ServiceDeployment)) error {
	key := historyKey(svc, deployment)
	if _, ok := s.history.Get(key); !ok {
		return nil
	}
	_, err := s.history.Update(ctx, key, func(cur ServiceDeployment, _ bool) (ServiceDeployment, error) {
		change(&cur)
		cur.UpdatedAt = time.Now()
		return cur, nil
	})
	return err
}

func (s *Scheduler) pruneHistory(ctx context.Context, svc model.Service) error {
	all := s.ServiceDeployments(svc)
	for _, old := range all[min(len(all), keptDeployments):] {
		if _, err := s.history.Delete(ctx, historyKey(svc, old.Deployment)); err != nil {
			return err
		}
	}
	return nil
}

// lastCompleted gives the record of the newest deployment that succeeded.
func (s *Scheduler) lastCompleted(svc model.Service) (ServiceDeployment, bool) {
	for _, rec := range s.ServiceDeployments(svc) {
		if rec.Status == successful {
			return rec, true
		}
	}
	return ServiceDeployment{}, false
}
