package simulate

import (
	"strings"
	"testing"
)

// FuzzPolicyFile wants an error of one line, or policies that can be told.
func FuzzPolicyFile(f *testing.F) {
	for _, s := range []string{
		`{"TargetValue": 50, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}`,
		`[{"MinCapacity": 1, "MaxCapacity": 4}, {"AdjustmentType": "ExactCapacity", "StepAdjustments": [{"ScalingAdjustment": 3}]}]`,
		`{"PolicyName": "p", "PolicyType": "PredictiveScaling", "PredictiveScalingPolicyConfiguration": {"MetricSpecifications": [{"TargetValue": 50}]}}`,
		`{"AlarmName": "a", "Threshold": 1, "EvaluationPeriods": 1, "ComparisonOperator": "LessThanThreshold", "Metrics": [{"Id": "m", "Expression": "1"}]}`,
		`{"ScheduledActionName": "s", "Schedule": "rate(1 hour)", "StartTime": 0, "EndTime": "2100-01-01", "ScalableTargetAction": {"MinCapacity": 1}}`,
		`[`, `null`, `[null]`, `{}{}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := policyFile{name: "fuzz"}
		if err := p.read([]byte(text)); err != nil {
			return
		}
		for _, e := range p.scheduled {
			if _, ok := e.Plan.Next(p.begin); !ok || e.Action.Name == "" {
				t.Fatalf("an action that never runs of %q", text)
			}
		}
		for _, pol := range p.policies {
			if pol.Name == "" || pol.Tracking == nil && pol.Step == nil && pol.Predictive == nil {
				t.Fatalf("an empty policy of %q", text)
			}
		}
	})
}

func TestPolicyErrorsNameTheLine(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", "line 1: EOF"},
		{"cut off", "{\n\"TargetValue\": 50,\n", "line 2: unexpected EOF"},
		{"a text for a number", "{\n\"TargetValue\": \"half\"}", "line 2: TargetValue is a string, want a float64"},
		{"two values", "{\"TargetValue\": 5}{\"TargetValue\": 6}", "more than one JSON value; put them in a list"},
		{"a number", "7", "line 1: a number, want a JSON object"},
		{"a target alone", `[{"MinCapacity": 1, "MaxCapacity": 2}]`, "no scaling policy and no scheduled action in it"},
		{"a time that is none", `{"ScheduledActionName": "a", "Schedule": "rate(1 hour)", "StartTime": "soon"}`, `line 1: time "soon": want a date such as 2026-03-02T09:00:00Z`},
		{"two targets", `[{"MinCapacity": 1, "MaxCapacity": 2}, {"MinCapacity": 1, "MaxCapacity": 2}]`, "two scalable targets in it; simulate one at a time"},
	} {
		p := policyFile{name: "p"}
		err := p.read([]byte(row.text))
		if err == nil || strings.TrimSpace(err.Error()) != row.want {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}
