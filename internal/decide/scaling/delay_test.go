package scaling

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// However late the metrics come, a change of the load that the running tasks can
// serve is settled in at most two moves: what is ordered follows from the load,
// not from how the count of now relates to the use of then. The load goes to the
// middle of a count; at an edge the last task may follow minutes later, when the
// load is known so well.
func TestDelaySettlesInTwoMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(3, 19).Draw(t, "count before")
		p := newPlant(1, live(2, 20, cpuPolicy(50)), from)
		p.even = true
		p.start = rapid.IntRange(1, 60).Draw(t, "start")
		p.delay = rapid.IntRange(0, 300).Draw(t, "delay")
		amid := func(count int) float64 { return 5 * (float64(count) - 0.5) }
		p.run(900, constant(amid(from)))
		before := p.actions
		to := rapid.IntRange(max(2, from/3), min(2*p.desired, 20)).Draw(t, "count after")
		p.run(1800, constant(amid(to)))
		if moves := p.actions - before; moves > 2 {
			t.Fatalf("%d moves from a need of %d to one of %d:\n%s", moves, from, to, p.text())
		}
		if p.desired < to || p.desired > to+1+to/5 {
			t.Fatalf("settled at %d tasks for a need of %d:\n%s", p.desired, to, p.text())
		}
	})
}

func TestScaleInWaitsUntilOneOrderDoes(t *testing.T) {
	const window = 30 * time.Second
	cases := map[string]struct {
		since              time.Duration
		peak, high, likely int
		want               bool
	}{
		"just come into service":                {time.Second, 9, 9, 9, true},
		"it will soon be known to need less":    {time.Minute, 10, 9, 8, true},
		"it is known":                           {time.Minute, 9, 9, 9, false},
		"the trial is over":                     {trial, 10, 10, 8, false},
		"the window still holds what will go":   {trial + time.Second, 10, 9, 8, true},
		"half of the tasks are not kept for it": {time.Second, 6, 6, 4, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := unripe(c.peak, c.high, c.likely, 12, c.since, window); got != c.want {
				t.Errorf("unripe is %v, want %v", got, c.want)
			}
		})
	}
}

func TestOrderIsUnseenUntilTheDataShowIt(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	see := func(running, starting int) Observation {
		o := Observation{Measured: true, Desired: 8}
		o.Second.Running, o.Second.Starting = running, starting
		return o
	}
	o := Order{From: 2, To: 8, Pending: true, OutAt: now}
	if !o.unseen(see(2, 0), now.Add(time.Minute)) {
		t.Error("data from before the order show it")
	}
	if o.unseen(see(2, 6), now.Add(time.Minute)) {
		t.Error("tasks that start do not show the order")
	}
	if o.unseen(see(2, 0), now.Add(longestStartup)) {
		t.Error("an order whose tasks never come is waited for without end")
	}
}
