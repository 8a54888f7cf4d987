package autoscaler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
	"neargate/internal/random"
)

// Activities are kept for six weeks, and no more than maxActivities of a target.
const (
	keepActivities = 6 * 7 * 24 * time.Hour
	maxActivities  = 1000
)

// The states of an activity.
const (
	inProgress = "InProgress"
	successful = "Successful"
	overridden = "Overridden"
	failed     = "Failed"
)

// activityKey orders activities by resource ID, then time. With an empty ID it
// is the prefix of all activities of the target.
func activityKey(act model.ScalingActivity) string {
	if act.ID == "" {
		return act.ResourceID + "\n"
	}
	return fmt.Sprintf("%s\n%020d %s", act.ResourceID, act.StartedAt.UnixNano(), act.ID)
}

// Activities returns the activities of a target, newest first; of all targets
// when resourceID is "". Records of not scaling are among them.
func (a *Autoscaler) Activities(resourceID string) []model.ScalingActivity {
	prefix := ""
	if resourceID != "" {
		prefix = activityKey(model.ScalingActivity{ResourceID: resourceID})
	}
	all := a.activities.List(prefix)
	slices.Reverse(all)
	if resourceID == "" {
		slices.SortStableFunc(all, func(x, y model.ScalingActivity) int { return y.StartedAt.Compare(x.StartedAt) })
	}
	return all
}

// order is why a count is to be set.
type order struct{ cause, details string }

// order sets a desired count and records it.
func (a *Autoscaler) order(ctx context.Context, w *watch, id string, svc model.Service, n int, o order, now time.Time) error {
	act := newActivity(id, now)
	act.Description = fmt.Sprintf("Setting desired count to %d.", n)
	act.Cause, act.Details = o.cause, o.details
	act.FromCount, act.ToCount = svc.DesiredCount, n
	err := a.sched.SetDesiredCount(ctx, svc.Cluster, svc.Name, n)
	if err != nil {
		act.Status, act.EndedAt = failed, now
		act.StatusMessage = fmt.Sprintf("Failed to set desired count to %d. Reason: %s", n, model.Message(err))
		a.report(ctx, "desired count not set", id, err)
	} else {
		a.override(ctx, w, n, now)
		act.Status = inProgress
		act.StatusMessage = fmt.Sprintf("Successfully set desired count to %d. Waiting for change to be fulfilled by ecs.", n)
		w.open, w.looked, w.notScaled = activityKey(act), true, ""
		a.log.Info("desired count set", "resource", id, "from", svc.DesiredCount, "to", n, "cause", o.cause)
	}
	a.report(ctx, "scaling activity not kept", id, a.record(ctx, act))
	return err
}

func newActivity(id string, now time.Time) model.ScalingActivity {
	return model.ScalingActivity{ID: random.UUID(), Namespace: Namespace, ResourceID: id, Dimension: Dimension, StartedAt: now}
}

// recordNotScaled keeps why a change that a policy wanted was not made.
func (a *Autoscaler) recordNotScaled(ctx context.Context, id string, cfg scaling.Config, d scaling.Decision, cause string, now time.Time) error {
	act := newActivity(id, now)
	act.Description, act.Cause = "Attempting to scale due to alarm triggered", cause
	if cfg.Timing == scaling.Live && d.Reason.Step.Alarm == "" {
		act.Description, act.Cause = "Attempting to scale in live timing", "policy "+d.Policy
	}
	act.EndedAt, act.Details, act.Status = now, d.Reason.String(), failed
	if d.NotScaled == scaling.AtDesired {
		act.Status = successful
	}
	act.FromCount, act.ToCount = d.Desired, d.Desired
	act.NotScaled = []model.NotScaledReason{d.NotScaledReason(cfg)}
	return a.record(ctx, act)
}

// record keeps an activity and forgets the target's oldest beyond the limit.
func (a *Autoscaler) record(ctx context.Context, act model.ScalingActivity) error {
	if err := a.activities.Put(ctx, activityKey(act), act); err != nil {
		return err
	}
	all := a.activities.List(activityKey(model.ScalingActivity{ResourceID: act.ResourceID}))
	for _, old := range all[:max(0, len(all)-maxActivities)] {
		if _, err := a.activities.Delete(ctx, activityKey(old)); err != nil {
			return err
		}
	}
	return nil
}

// follow closes the activity under way once its service has reached the count,
// or somebody else has set another.
func (a *Autoscaler) follow(ctx context.Context, w *watch, svc model.Service, s *model.ServiceSecond, now time.Time) {
	if !w.looked {
		w.looked = true
		w.open, w.notScaled = a.unfinished(policy.Resource(svc.Cluster, svc.Name), w.createdAt)
	}
	if w.open == "" {
		return
	}
	act, ok := a.activities.Get(w.open)
	switch {
	case !ok:
		w.open = ""
	case svc.DesiredCount != act.ToCount:
		a.override(ctx, w, svc.DesiredCount, now)
	case !s.At.After(act.StartedAt) && !now.Before(act.StartedAt): // measured before the order; else the clock went back
	case s.Running == act.ToCount && s.Starting == 0 && s.Draining == 0:
		a.finish(ctx, w, successful, fulfilled(act.ToCount), now)
	}
}

func fulfilled(n int) string {
	return fmt.Sprintf("Successfully set desired count to %d. Change successfully fulfilled by ecs.", n)
}

// followLast sees the activity under way of a target that was deregistered to
// its end.
func (a *Autoscaler) followLast(ctx context.Context, id string, svc model.Service, s *model.ServiceSecond) {
	w := a.watched[id]
	if w == nil {
		return
	}
	if a.follow(ctx, w, svc, s, a.now()); w.open == "" {
		delete(a.watched, id)
	}
}

// closeGone ends the activities under way of services that are deleted, of
// which no second comes any more: their count is 0.
func (a *Autoscaler) closeGone(ctx context.Context) {
	for id, w := range a.watched {
		if w.open == "" {
			continue
		}
		cluster, name, _ := policy.SplitResource(id)
		if svc, ok := a.sched.Service(cluster, name); !ok || svc.Status != model.Active {
			a.override(ctx, w, 0, a.now())
			if _, scaled := a.targets.Get(id); !scaled {
				delete(a.watched, id)
			}
		}
	}
}

// resume takes up the activities that were under way when the server stopped.
func (a *Autoscaler) resume() {
	for _, act := range a.activities.List("") {
		if act.Status == inProgress {
			t, _ := a.targets.Get(act.ResourceID)
			t.ResourceID = act.ResourceID
			w := a.watch(t)
			w.open = activityKey(act)
		}
	}
}

// unfinished finds the activity that was under way when the server stopped, and
// the reason for not scaling that was recorded last, since the target is there.
func (a *Autoscaler) unfinished(id string, since time.Time) (open, notScaled string) {
	for i, act := range a.Activities(id) {
		if i == 0 && len(act.NotScaled) > 0 && !act.StartedAt.Before(since) {
			notScaled = act.NotScaled[0].Code
		}
		if act.Status == inProgress {
			return activityKey(act), notScaled
		}
	}
	return "", notScaled
}

// override ends the activity under way: another count was set.
func (a *Autoscaler) override(ctx context.Context, w *watch, n int, now time.Time) {
	if w.open == "" {
		return
	}
	if act, ok := a.activities.Get(w.open); ok && act.ToCount == n { // as a deleted service that was to have none
		a.finish(ctx, w, successful, fulfilled(n), now)
	} else if ok {
		a.finish(ctx, w, overridden, fmt.Sprintf("Successfully set desired count to %d. Found it was later changed to %d.", act.ToCount, n), now)
	}
	w.open = ""
}

func (a *Autoscaler) finish(ctx context.Context, w *watch, status, message string, now time.Time) {
	_, err := a.activities.Update(ctx, w.open, func(act model.ScalingActivity, _ bool) (model.ScalingActivity, error) {
		act.Status, act.StatusMessage, act.EndedAt = status, message, now
		return act, nil
	})
	a.report(ctx, "scaling activity not closed", w.open, err)
	w.open = ""
}

// prune forgets activities that are too old.
func (a *Autoscaler) prune(ctx context.Context) {
	for _, act := range a.activities.List("") {
		if a.now().Sub(act.StartedAt) > keepActivities {
			_, err := a.activities.Delete(ctx, activityKey(act))
			a.report(ctx, "old scaling activity not deleted", act.ResourceID, err)
		}
	}
}
