package autoscaler

import (
	"testing"
	"time"

	"neargate/internal/model"
)

func TestExplainJoinsDecisionsAndActivities(t *testing.T) {
	r := fresh(t)
	if _, err := r.Explain(web, 10); err == nil {
		t.Error("a service that is no scalable target is explained")
	}
	r.register(2, 8)
	before := newActivity(web, r.clock.Add(-time.Hour))
	before.FromCount, before.ToCount, before.Cause, before.Details = 4, 2, "policy cpu in live timing", "too many"
	refused := newActivity(web, r.clock.Add(-30*time.Minute))
	refused.FromCount, refused.ToCount, refused.Cause, refused.Status, refused.StatusMessage = 2, 3, "minimum capacity", failed, "no"
	run := newActivity(web, r.clock.Add(-20*time.Minute))
	run.TriggeredByScheduled = true
	for _, act := range []model.ScalingActivity{before, refused, run} {
		if err := r.record(t.Context(), act); err != nil {
			t.Fatal(err)
		}
	}
	r.put(tracking("cpu"))
	r.seconds(90, 8)
	r.seconds(60, 90) // to the maximum, and a record that there is no more
	got, err := r.Explain(web, 100)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Activities(web)); n < 5 || len(got) < 5 {
		t.Fatalf("%d activities, explained %+v: want those of before, an order and a record of not scaling", n, got)
	}
	for i, want := range []struct {
		from, to int
		reason   string
	}{{4, 2, "too many"}, {2, 3, "minimum capacity; no"}} {
		if e := got[i]; e.From != want.from || e.To != want.to || e.Reason != want.reason {
			t.Errorf("decision %d = %+v, want %+v", i, e, want)
		}
	}
	for i, e := range got[1:] {
		if e.Since.Before(got[i].Since) {
			t.Errorf("decision %d is older than the one before: %+v", i+1, got)
		}
	}
	for _, act := range r.Activities(web) {
		said := 0
		for _, e := range got {
			if e.tells(act) {
				said++
			}
		}
		if said != 1 && !act.TriggeredByScheduled {
			t.Errorf("activity %+v stands %d times in %+v", act, said, got)
		}
	}
	if last, err := r.Explain(web, 1); err != nil || len(last) != 1 || last[0] != got[len(got)-1] {
		t.Errorf("the last decision = %+v, %v, want %+v", last, err, got[len(got)-1])
	}
}
