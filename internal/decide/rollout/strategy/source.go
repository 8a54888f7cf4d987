package strategy

import (
	"slices"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// Source returns which of a service's deployments, newest first, a new one is to
// take the traffic over from; "": from none. It is the newest if that has been
// deployed, has nothing left but to clean up, or is being gone back to. Else it
// is the one from which the newest was taking the traffic, or if there was none,
// the newest if that has traffic.
func Source(deployments []model.Deployment) string {
	if len(deployments) == 0 {
		return ""
	}
	d := deployments[0]
	p, going := d.Progress, d.RolloutState == rollout.InProgress
	known := slices.ContainsFunc(deployments, func(d model.Deployment) bool { return d.ID == p.Source })
	switch {
	case d.RolloutState == rollout.Completed, going && (p.Back || p.Stage == model.StageCleanUp), p.Back && p.Shifts > 0:
		return d.ID
	case known:
		return p.Source
	case !d.Strategy.Shifts() || p.Shifts > 0 || p.Shifting:
		return d.ID
	}
	return ""
}
