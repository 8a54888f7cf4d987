package strategy

import (
	"strings"
	"testing"

	"neargate/internal/model"
)

// leads makes where a rule leads of words such as "blue=90 green=10".
func leads(weights ...any) (all []model.WeightedTargetGroup) {
	for i := 0; i < len(weights); i += 2 {
		name, _ := weights[i].(string)
		weight, _ := weights[i+1].(int)
		all = append(all, model.WeightedTargetGroup{TargetGroupARN: name, Weight: weight})
	}
	return all
}

func TestRead(t *testing.T) {
	tests := []struct {
		name   string
		placed bool
		rules  Rules
		want   Traffic // Problem is a part of it
	}{
		{
			"before anything is placed the new group is the one that does not serve", false,
			Rules{"production": leads("blue", 1, "green", 0), "test": leads("green", 1)},
			Traffic{Production: 0, Test: Whole, Routed: true, Tested: true},
		},
		{
			"shares by weight", true,
			Rules{"production": leads("blue", 10, "green", 90), "test": leads("blue", 1)},
			Traffic{Production: 100, Test: Whole, Routed: true, Tested: true},
		},
		{
			"a rule that is gone", true,
			Rules{"test": leads("blue", 1)},
			Traffic{Production: Unsure, Test: Whole, Tested: true, Problem: "One or more rules not found"},
		},
		{
			"a rule to a third group", true,
			Rules{"production": leads("blue", 1, "third", 1), "test": leads("blue", 1)},
			Traffic{Production: Unsure, Test: Whole, Tested: true, Problem: "Production listener rule is forwarding traffic to unexpected target group third."},
		},
		{
			"a third group without weight", true,
			Rules{"production": leads("blue", 1, "third", 0), "test": leads("blue", 1)},
			Traffic{Production: Whole, Test: Whole, Routed: true, Tested: true},
		},
		{
			"a rule to no group", true,
			Rules{"production": leads("green", 1), "test": nil},
			Traffic{Production: 0, Test: Unsure, Routed: true, Problem: "Test listener rule is not forwarding traffic to either target group."},
		},
		{
			"a first deployment with two groups that serve", false,
			Rules{"production": leads("blue", 1, "green", 1), "test": leads("green", 1)},
			Traffic{Production: 500, Test: Whole, Routed: true, Tested: true, Problem: "should have exactly one target group serving traffic but found 2"},
		},
		{
			"a group that no rule knows", false,
			Rules{"production": leads("blue", 1), "test": leads("blue", 1)},
			Traffic{Production: 0, Test: 0, Routed: true, Tested: true, Problem: "Target group green is not associated with either"},
		},
	}
	for _, tt := range tests {
		svc := model.Service{Deployments: []model.Deployment{{
			Strategy: model.Strategy{Kind: model.BlueGreen}, Progress: model.Progress{Placed: tt.placed},
			LoadBalancers: []model.ServiceLoadBalancer{{TargetGroupARN: "blue", AlternateARN: "green", ProductionRule: "production", TestRule: "test"}},
		}}}
		got := Read(svc, tt.rules)
		if (got.Problem == "") != (tt.want.Problem == "") || !strings.Contains(got.Problem, tt.want.Problem) {
			t.Errorf("%s: got problem %q, want %q", tt.name, got.Problem, tt.want.Problem)
		}
		if got.Problem = tt.want.Problem; got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
