package ecs

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/decide/rollout"
	"neargate/internal/decide/rollout/strategy"
	"neargate/internal/model"
)

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
		Status: types.ServiceDeploymentStatus(rec.Status), StatusReason: text(rec.StatusReason), LifecycleStage: types.ServiceDeploymentLifecycleStage(rec.Stage),
		CreatedAt: aws.Time(rec.CreatedAt), StartedAt: startOf(rec), UpdatedAt: aws.Time(rec.UpdatedAt),
		FinishedAt: moment(rec.FinishedAt), StoppedAt: moment(rec.StoppedAt),
		SourceServiceRevisions:  []types.ServiceRevisionSummary{},
		DeploymentConfiguration: rolloutOf(svc.Rollout), DeploymentCircuitBreaker: breaker(rec, now), Alarms: alarmsOf(rec, now),
		LifecycleHookDetails: hooksOf(rec, now),
	}
	shifts, share := svc.Rollout.Strategy.Shifts(), requested(rec, now)
	for _, revision := range rec.SourceRevisions {
		want := 0
		if shifts && !rec.Status.Ended() {
			want = now.DesiredCount
		}
		source := summary(revision, want)
		if shifts {
			source.RequestedProductionTrafficWeight, source.RequestedTestTrafficWeight = percent(strategy.Whole-share.Production), percent(strategy.Whole-share.Test)
		}
		out.SourceServiceRevisions = append(out.SourceServiceRevisions, source)
	}
	if shifts {
		target.RequestedProductionTrafficWeight, target.RequestedTestTrafficWeight = percent(share.Production), percent(share.Test)
	}
	out.TargetServiceRevision = &target
	if rec.RollbackARN != "" {
		out.Rollback = &types.Rollback{ServiceRevisionArn: aws.String(rec.RollbackARN), Reason: aws.String(rec.StatusReason), StartedAt: moment(rec.RollbackAt)}
	}
	return out
}

func percent(tenths int) *float64 { return aws.Float64(float64(tenths) / 10) }

// startOf is when the deployment left PENDING. Records of an earlier version do
// not know it apart from their beginning.
func startOf(rec model.ServiceDeployment) *time.Time {
	if rec.StartedAt.IsZero() && rec.Status != model.DeploymentPending {
		return aws.Time(rec.CreatedAt)
	}
	return moment(rec.StartedAt)
}

// current returns the deployment of a record while the service has it.
func current(rec model.ServiceDeployment, now model.Service) (model.Deployment, bool) {
	i := slices.IndexFunc(now.Deployments, func(d model.Deployment) bool { return d.ID == rec.Deployment })
	if i < 0 {
		return model.Deployment{}, false
	}
	return now.Deployments[i], true
}

// requested is the traffic that the target revision asks for.
func requested(rec model.ServiceDeployment, now model.Service) strategy.Shift {
	d, there := current(rec, now)
	switch {
	case rec.Status == model.DeploymentSuccessful:
		return strategy.Shift{Production: strategy.Whole, Test: strategy.Whole}
	case rec.Status.Ended() || rec.Status == model.DeploymentRollingBack || !there:
		return strategy.Shift{}
	}
	return strategy.Requested(d)
}

// hooksOf are the pauses that the deployment is in.
func hooksOf(rec model.ServiceDeployment, now model.Service) []types.DeploymentLifecycleHookDetail {
	d, there := current(rec, now)
	if !there || rec.Status.Ended() {
		return nil
	}
	var all []types.DeploymentLifecycleHookDetail
	for _, p := range d.Progress.Pauses {
		all = append(all, types.DeploymentLifecycleHookDetail{
			HookId: aws.String(p.ID), Status: types.DeploymentLifecycleHookStatus(p.Status), TargetType: types.DeploymentLifecycleHookTargetTypePause,
			ExpiresAt: aws.Time(p.ExpiresAt), TimeoutAction: types.DeploymentLifecycleHookAction(p.Action),
		})
	}
	return all
}

// alarmsOf is the state of the deployment's alarms.
func alarmsOf(rec model.ServiceDeployment, now model.Service) *types.ServiceDeploymentAlarms {
	alarms := rec.Service.Rollout.Strategy.Alarms
	out := &types.ServiceDeploymentAlarms{Status: types.ServiceDeploymentRollbackMonitorsStatusDisabled, AlarmNames: alarms.Names, TriggeredAlarmNames: rec.Alarms}
	d, _ := current(rec, now)
	switch {
	case !alarms.Enable || d.Progress.AlarmsOff:
	case len(rec.Alarms) > 0:
		out.Status = types.ServiceDeploymentRollbackMonitorsStatusTriggered
	case rec.Status.Ended():
		out.Status = types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	default:
		out.Status = types.ServiceDeploymentRollbackMonitorsStatusMonitoring
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
	case rec.Tripped:
		out.Status = types.ServiceDeploymentRollbackMonitorsStatusTriggered
	case !rec.Status.Ended() && rec.Status != model.DeploymentRollingBack:
		out.Status = types.ServiceDeploymentRollbackMonitorsStatusMonitoring
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
