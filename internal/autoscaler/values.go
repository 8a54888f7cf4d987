package autoscaler

import (
	"slices"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// values reads the customized metrics of policies.
func (a *Autoscaler) values(w *watch, id string, cfg scaling.Config, policies []model.ScalingPolicy, now time.Time) []scaling.MetricValue {
	var out []scaling.MetricValue
	failed := false
	for _, p := range policies {
		if !slices.ContainsFunc(cfg.Policies, func(q scaling.Policy) bool { return q.Name == p.Name && q.Reads(cfg.Timing) }) {
			continue
		}
		readings, err := a.data.Returned(policy.Queries(p), cfg.Timing == scaling.Live, now)
		if err != nil {
			failed = true
			if !w.unread { // once, not each second
				a.log.Error("customized metric not read", "resource", id, "policy", p.Name, "error", err)
			}
		}
		for _, r := range readings {
			out = append(out, scaling.MetricValue{Policy: p.Name, Start: r.Start, Period: r.Period, Value: r.Value})
		}
	}
	w.unread = failed
	return out
}
