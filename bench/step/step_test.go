package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestJudge(t *testing.T) {
	step := time.Unix(1000, 0)
	at := func(s float64) time.Time { return step.Add(time.Duration(s * float64(time.Second))) }
	second := func(s float64) time.Duration { return at(s).Sub(step) }
	for name, c := range map[string]struct {
		orders []order
		seen   []sight
		want   stepResult
	}{
		"one order suffices": {
			[]order{{at(1), 9}},
			[]sight{{at(0), 1}, {at(1.25), 2}, {at(2), 9}},
			stepResult{order: second(1), orders: 1, counts: []int{9}, first: second(0.25), all: second(1), reached: true},
		},
		"two orders, and a third after the need": {
			[]order{{at(1), 4}, {at(2), 8}, {at(3), 10}},
			[]sight{{at(0), 1}, {at(1.5), 4}, {at(2.5), 8}},
			stepResult{order: second(1), orders: 2, counts: []int{4, 8, 10}, first: second(0.5), all: second(1.5), reached: true},
		},
		"an order before the step is no answer to it": {
			[]order{{at(-1), 2}, {at(1), 8}},
			[]sight{{at(0), 2}, {at(1.5), 3}, {at(2), 8}},
			stepResult{early: 1, order: second(1), orders: 1, counts: []int{8}, first: second(0.5), all: second(1), reached: true},
		},
		"no order": {nil, []sight{{at(0), 1}}, stepResult{}},
	} {
		t.Run(name, func(t *testing.T) {
			var got stepResult
			got.judge(step, 8, c.orders, c.seen)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(stepResult{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlanNeedsEightTasksWhereTheMachineCarriesThem(t *testing.T) {
	p := newPlan(20 * time.Millisecond)
	if got := p.need(); got > needs || got < 2 {
		t.Errorf("the step needs %d tasks, want 2 to %d", got, needs)
	}
	shape, at := p.shape(time.Minute)
	if got, want := shape.Users(at), int(p.users(p.before)+0.5); got != want {
		t.Errorf("%d users before the step, want %d", got, want)
	}
}

func TestLine(t *testing.T) {
	for name, c := range map[string]struct {
		took []time.Duration
		want bool
	}{
		"median within": {[]time.Duration{9, 1, 2}, true},
		"median above":  {[]time.Duration{9, 1, 4}, false},
		"mostly never":  {[]time.Duration{0, 0, 1}, false},
		"never once":    {[]time.Duration{0, 1, 2}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := line(&strings.Builder{}, "x", c.took, 3); got != c.want {
				t.Errorf("met = %v, want %v", got, c.want)
			}
		})
	}
}
