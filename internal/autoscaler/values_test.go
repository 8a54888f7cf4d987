package autoscaler

import (
	"slices"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

func TestCustomizedMetricMovesTheCount(t *testing.T) {
	for _, timing := range []string{"live", "aws-60"} {
		t.Run(timing, func(t *testing.T) {
			r := fresh(t)
			r.register(1, 8, model.Tag{Key: TimingTag, Value: timing})
			p := tracking("orders")
			p.Tracking.Predefined = ""
			p.Tracking.Customized = &model.CustomizedMetric{Metric: model.MetricID{Namespace: "Shop", Name: "Orders"}, Statistic: "Average"}
			p = r.put(p)
			if al := r.book.all[p.AlarmNames[0]]; al.Metric.Name != "Orders" || al.Period != time.Minute || al.Threshold != 50 {
				t.Errorf("alarm %+v", al)
			}
			r.seconds(70, 1)
			r.readings = []model.Reading{{Start: r.clock.Add(-time.Minute), Period: time.Minute, Value: 120}} // on two tasks
			r.book.ring("AlarmHigh", "ALARM")
			r.seconds(5, 1)
			if r.desired() != 5 { // 2 × 120 ÷ 50
				t.Errorf("desired = %d, want 5; %+v", r.desired(), r.Reasons(web, 3))
			}
			want := map[string]string{
				"live":   "policy orders in live timing: metric at 120, 240 over all tasks, at target 50 a task needs 5",
				"aws-60": "monitor alarm TargetTracking-service/c/web-AlarmHigh-",
			}[timing]
			if got := r.Activities(web); len(got) != 1 || !strings.HasPrefix(got[0].Cause, want) {
				t.Errorf("activities %q, want one because %q", brief(got), want)
			}
			if asked := slices.Compact(r.asked); len(asked) != 1 || asked[0] != "Orders1m0s "+map[string]string{"live": "true", "aws-60": "false"}[timing] {
				t.Errorf("asked for %q", asked)
			}
		})
	}
}
