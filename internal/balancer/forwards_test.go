package balancer

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

// Only weights of the groups are set: a rule that leads elsewhere is refused and
// stays as it is.
func TestSetForwardsLeavesWhatLeadsElsewhere(t *testing.T) {
	to := func(groups ...model.WeightedTargetGroup) []model.Action {
		return []model.Action{{Type: "forward", Order: 3, Forward: groups}}
	}
	w := func(arn string, weight int) model.WeightedTargetGroup {
		return model.WeightedTargetGroup{TargetGroupARN: arn, Weight: weight}
	}
	tests := []struct {
		name         string
		actions, now []model.Action // now nil: refused
	}{
		{"both", to(w("a", 1), w("b", 1)), to(w("a", 0), w("b", 100))},
		{"one of them", to(w("a", 1)), to(w("a", 0), w("b", 100))},
		{"another without weight", to(w("a", 1), w("c", 0)), to(w("a", 0), w("b", 100), w("c", 0))},
		{"another with weight", to(w("a", 1), w("c", 1)), nil},
		{"another", to(w("c", 1)), nil},
		{"another, at rest", to(w("c", 0)), nil},
		{"redirect", []model.Action{{Type: "redirect", Redirect: &model.Redirect{Host: "h", StatusCode: 302}}}, nil},
		{"fixed response", []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 503}}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now, err := reweighed("rule", tt.actions, []model.WeightedTargetGroup{w("a", 0), w("b", 100)})
			var refused *model.Error
			if tt.now == nil && (!errors.As(err, &refused) || refused.Code != "ResourceInUse") || tt.now != nil && err != nil {
				t.Fatalf("err %v", err)
			}
			if d := cmp.Diff(now, tt.now); d != "" {
				t.Errorf("got -, want +:\n%s", d)
			}
		})
	}
}

// A default rule and another one that answer by themselves go on doing so.
func TestSetForwardsOfARunningRule(t *testing.T) {
	r := start(t, Config{})
	tg, _ := r.front(nil)
	l := r.Listeners(r.LoadBalancers()[0].ARN)[0]
	rule, err := r.CreateRule(t.Context(), model.Rule{
		ListenerARN: l.ARN, Priority: 5, Conditions: []model.Condition{{Field: "path-pattern", Values: []string{"/fixed"}}},
		Actions: []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	before := r.Rules(l.ARN)
	if err := r.SetForwards(t.Context(), rule.ARN, []model.WeightedTargetGroup{{TargetGroupARN: tg.ARN, Weight: 1}}); err == nil {
		t.Error("a fixed response was written over")
	}
	for _, old := range before {
		if old.Priority == 0 {
			if err := r.SetForwards(t.Context(), old.ARN, []model.WeightedTargetGroup{{TargetGroupARN: "other", Weight: 1}}); err == nil {
				t.Error("a default rule that leads to another group was written over")
			}
		}
	}
	if d := cmp.Diff(r.Rules(l.ARN), before); d != "" {
		t.Errorf("got -, want +:\n%s", d)
	}
}
