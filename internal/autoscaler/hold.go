package autoscaler

import (
	"time"

	"neargate/internal/model"
)

// holdTime is how long a decision to hold requests back is good for. A service
// that is deleted, or has no target any more, is not decided again.
const holdTime = 5 * time.Second

// held is a hold on a target group.
type held struct {
	by string    // the resource ID it was decided for; services may share the group
	at time.Time // last
}

// hold has the balancer hold back what exceeds perTask requests in flight at a
// task of the service; 0 ends what was held for it.
func (a *Autoscaler) hold(id string, svc model.Service, perTask int, now time.Time) {
	if a.cfg.Queues == nil {
		return
	}
	for _, arn := range svc.TargetGroups() {
		switch {
		case perTask > 0:
			a.cfg.Queues.Hold(arn, perTask)
			a.held[arn] = held{id, now}
		case a.held[arn].by == id:
			a.cfg.Queues.Hold(arn, 0)
			delete(a.held, arn)
		}
	}
}

// letGo ends holds that are not decided anew.
func (a *Autoscaler) letGo() {
	now := a.now()
	for arn, h := range a.held {
		if gone := now.Sub(h.at); gone > holdTime || gone < 0 {
			a.cfg.Queues.Hold(arn, 0)
			delete(a.held, arn)
		}
	}
}
