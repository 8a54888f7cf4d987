package autoscaler

import (
	"slices"

	"neargate/internal/model"
)

// Explain returns a target's last n decisions, oldest first: at most 50 since the
// server started, and of the time before, and of counts that no policy decided,
// what the scaling activities tell. ObjectNotFoundException.
func (a *Autoscaler) Explain(resourceID string, n int) ([]Explained, error) {
	if _, ok := a.targets.Get(resourceID); !ok {
		return nil, noTarget(resourceID)
	}
	decided := a.Reasons(resourceID, keptReasons)
	out := slices.Clone(decided)
	for _, act := range a.Activities(resourceID) {
		known := slices.ContainsFunc(decided, func(e Explained) bool { return e.tells(act) })
		if !known && !act.TriggeredByScheduled { // such a run moves bounds; the count that follows has its own activity
			out = append(out, explained(act))
		}
	}
	slices.SortStableFunc(out, func(x, y Explained) int { return x.Since.Compare(y.Since) })
	return out[max(0, len(out)-n):], nil
}

// tells reports that an activity came of the decision.
func (e Explained) tells(act model.ScalingActivity) bool {
	return e.To == act.ToCount && !act.StartedAt.Before(e.Since) && !act.StartedAt.After(e.Until)
}

// explained reads an activity as the decision it came of.
func explained(act model.ScalingActivity) Explained {
	e := Explained{Since: act.StartedAt, Until: act.StartedAt, From: act.FromCount, To: act.ToCount, Reason: act.Details}
	if e.Reason == "" {
		e.Reason = act.Cause
	}
	if act.Status == failed && act.StatusMessage != "" {
		e.Reason += "; " + act.StatusMessage
	}
	return e
}
