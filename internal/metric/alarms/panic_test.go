package alarms

import (
	"testing"

	"neargate/internal/model"
)

// An alarm that panics would do so again with each evaluation and after each
// restart.
func TestPanicInAnAlarmIsThatAlarmsOnly(t *testing.T) {
	b := newBench(t, t.TempDir())
	if err := b.table.Put(t.Context(), "bad", model.Alarm{Name: "bad", Metric: cpu, Statistic: "Average", EvaluationPeriods: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.decide(model.Alarm{Name: "bad", Metric: cpu, Statistic: "Average", EvaluationPeriods: 1}, b.at); err == nil {
		t.Fatal("an alarm without a period is decided: the test shows nothing")
	}
	b.put(high())
	for range 3 {
		b.minute(80)
	}
	if got := b.state("high"); got != "ALARM" {
		t.Errorf("the other alarm is in state %s", got)
	}
}
