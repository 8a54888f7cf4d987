package ecs

import (
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

const replacedReason = "Service deployment was stopped because a newer service deployment replaced it."

// keptDeployments is how many service deployments are kept for each service.
const keptDeployments = 100

func historyKey(svc model.Service, deployment string) string {
	return serviceKey(svc) + "/" + strings.TrimPrefix(deployment, "ecs-svc/")
}

func newestFirst(all []model.ServiceDeployment) []model.ServiceDeployment {
	slices.SortFunc(all, func(a, b model.ServiceDeployment) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all
}

// begin records the beginning of the service's primary deployment and that it
// ends those still under way.
func (t tables) begin(svc model.Service) {
	primary, now := svc.Deployments[0], time.Now()
	rec := model.ServiceDeployment{
		ARN:         strings.Replace(svc.ARN, ":service/", ":service-deployment/", 1) + "/" + random.Word(21),
		RevisionARN: svc.RevisionARN(primary.ID), Service: svc, Deployment: primary.ID, Images: primary.Images,
		Status: model.DeploymentInProgress, CreatedAt: now, StartedAt: now, UpdatedAt: now,
	}
	rec.Placed = primary.LoadBalancers
	if primary.Strategy.Shifts() {
		rec.Status, rec.StartedAt = model.DeploymentPending, time.Time{}
	}
	for _, d := range svc.Deployments[1:] {
		rec.SourceRevisions = append(rec.SourceRevisions, svc.RevisionARN(d.ID))
		t.note(svc, d.ID, func(old *model.ServiceDeployment) {
			if !old.Status.Ended() && old.Status != model.DeploymentRollingBack {
				old.Status, old.StatusReason = model.DeploymentStopped, replacedReason
				old.StoppedAt, old.FinishedAt, old.FailedTasks = now, now, d.FailedTasks
			}
		})
		t.settle(svc, d.ID, model.DeploymentRollbackFailed, replacedReason)
	}
	t.history.Put(historyKey(svc, primary.ID), rec)
	all := newestFirst(t.history.List(serviceKey(svc) + "/"))
	for _, old := range all[min(len(all), keptDeployments):] {
		t.history.Delete(historyKey(svc, old.Deployment))
	}
}

// note changes the record of a deployment, if there is one.
func (t tables) note(svc model.Service, deployment string, change func(*model.ServiceDeployment)) {
	key := historyKey(svc, deployment)
	rec, ok := t.history.Get(key)
	if !ok {
		return
	}
	change(&rec)
	rec.UpdatedAt = time.Now()
	t.history.Put(key, rec)
}

// lastCompleted returns the record of the newest deployment that succeeded.
func (t tables) lastCompleted(svc model.Service) (model.ServiceDeployment, bool) {
	for _, rec := range newestFirst(t.history.List(serviceKey(svc) + "/")) {
		if rec.Status == model.DeploymentSuccessful {
			return rec, true
		}
	}
	return model.ServiceDeployment{}, false
}
