package sim

import (
	"testing"
	"time"

	"neargate/internal/decide/schedule"
	"neargate/internal/model"
)

// TestScheduledActionWhileSuspended: what is suspended is scaling by policies; a
// scheduled action moves the count all the same, as in the server.
func TestScheduledActionWhileSuspended(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	act := model.ScheduledAction{Name: "up", Schedule: "at(2026-05-01T12:00:10)", Min: new(4), Max: new(9), CreatedAt: at, ChangedAt: at}
	plan, err := schedule.Of(act, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewService(Service{
		Target:    model.ScalableTarget{Min: 1, Max: 9, SuspendIn: true, SuspendOut: true},
		Scheduled: []schedule.Entry{{Action: act, Plan: plan}},
	}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		now := at.Add(time.Duration(i) * time.Second)
		n, reason := d.Second(model.ServiceSecond{At: now, Interval: time.Second, Running: 2, Sampled: 2, CPUPerTask: time.Second})
		want := 2
		if i >= 10 {
			want = 4
		}
		if n != want {
			t.Fatalf("%d s: %d tasks (%s), want %d", i, n, reason, want)
		}
	}
}
