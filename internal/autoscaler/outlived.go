package autoscaler

import (
	"context"

	"neargate/internal/decide/policy"
	"neargate/internal/model"
)

// outlived reports whether a scalable target's service is gone: deleted, or
// created again since, in which case the target is its predecessor's.
func (a *Autoscaler) outlived(t model.ScalableTarget) bool {
	cluster, name, _ := policy.SplitResource(t.ResourceID)
	svc, ok := a.sched.Service(cluster, name)
	return !ok || svc.Status == model.Inactive || !t.Service.IsZero() && !svc.CreatedAt.Equal(t.Service)
}

// dropOutlived removes the scalable targets of services that are gone, with
// their policies, alarms and scheduled actions. On AWS too they go with the
// service.
func (a *Autoscaler) dropOutlived(ctx context.Context) {
	for _, t := range a.targets.List("") {
		if !a.outlived(t) {
			continue
		}
		a.admin.Lock()
		err := a.dropIfOutlived(ctx, t.ResourceID)
		a.admin.Unlock()
		a.report(ctx, "drop scalable target", t.ResourceID, err)
	}
}

// dropIfOutlived is for holders of admin.
func (a *Autoscaler) dropIfOutlived(ctx context.Context, resourceID string) error {
	t, ok := a.targets.Get(resourceID)
	if !ok || !a.outlived(t) {
		return nil
	}
	return a.drop(ctx, resourceID)
}
