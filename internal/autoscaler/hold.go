package autoscaler

import (
	"time"

	"neargate/internal/model"
)

// holdTime is how long a decision to hold requests back is good for. A service
// that is deleted, or has no target any more, is not decided again.
const holdTime = 5 * time.Second

// hold has the balancer hold back what exceeds perTask requests in flight at a
// task; 0 ends that.
func (a *Autoscaler) hold(svc model.Service, perTask int, now time.Time) {
	if a.cfg.Queues == nil {
		return
	}
	for _, lb := range svc.LoadBalancers {
		arn := lb.TargetGroupARN
		if _, held := a.held[arn]; perTask == 0 && !held {
			continue
		}
		a.cfg.Queues.Hold(arn, perTask)
		a.held[arn] = now
		if perTask == 0 {
			delete(a.held, arn)
		}
	}
}

// letGo ends holds that are not decided anew.
func (a *Autoscaler) letGo() {
	now := a.now()
	for arn, at := range a.held {
		if gone := now.Sub(at); gone > holdTime || gone < 0 {
			a.cfg.Queues.Hold(arn, 0)
			delete(a.held, arn)
		}
	}
}
