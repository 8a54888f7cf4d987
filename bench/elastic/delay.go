package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// late hands each second to a scaler some seconds after it has ended.
type late struct {
	sim.Scaler
	initial, by int
	past        []model.ServiceSecond
}

// Second is a Scaler's.
func (l *late) Second(s model.ServiceSecond) (desired int, reason string) {
	l.past = append(l.past, s)
	if len(l.past) <= l.by {
		return l.initial, ""
	}
	return l.Scaler.Second(l.past[len(l.past)-1-l.by])
}

const (
	delayAt     = 900
	delayLength = 2700
	fewMoves    = 2
)

// change is a change of the load between the middles of two counts.
type change struct{ from, to int }

// delays is goal 6: the property as the brain's own test has it, without noise,
// and beside it what noise does to it in the simulator.
func (b *bench) delays(ctx context.Context) (verdict, error) {
	const checks = 500
	v := verdict{goal: "at most 2 moves for any delay from 0 to 300 s"}
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-run=TestDelaySettlesInTwoMoves",
		"neargate/internal/decide/scaling", fmt.Sprintf("-rapid.checks=%d", checks))
	text, err := cmd.CombinedOutput()
	holds := "holds"
	if v.met = err == nil; !v.met {
		if !bytes.Contains(text, []byte("moves from")) && !bytes.Contains(text, []byte("settled at")) {
			return v, fmt.Errorf("run the property test: %w\n%s", err, text)
		}
		holds = "fails"
		v.detail = append(v.detail, string(text))
	}
	changes := []change{{4, 7}, {8, 16}, {10, 14}, {16, 8}, {18, 7}, {12, 10}}
	pauses := []int{0, 1, 5, 20, 60, 120, 300}
	moves := make([]int, len(changes)*len(pauses)*b.seeds)
	err = b.each(ctx, len(moves), func(i int) error {
		c, by, seed := changes[i%len(changes)], pauses[i/len(changes)%len(pauses)], i/len(changes)/len(pauses)
		amid := func(count int) float64 { return perTask * (float64(count) - 0.5) }
		p := plant(hold(amid(c.from), delayAt, amid(c.to), delayLength), uint64(1+seed), 0)
		p.Scaler = &late{Scaler: sim.NewDecider(cpuPolicy(), p.Initial), initial: p.Initial, by: by}
		r, err := sim.Run(p)
		if err != nil {
			return err
		}
		for _, o := range r.Orders {
			if o.At >= delayAt {
				moves[i]++
			}
		}
		return nil
	})
	if err != nil {
		return v, err
	}
	var all []float64
	few := 0
	for i, n := range moves {
		all = append(all, float64(n))
		if n <= fewMoves {
			few++
		} else {
			v.detail = append(v.detail, fmt.Sprintf("%d moves with noise, %d s late, from %d to %d tasks", n, pauses[i/len(changes)%len(pauses)], changes[i%len(changes)].from, changes[i%len(changes)].to))
		}
	}
	s := spreadOf(all)
	v.figure = fmt.Sprintf("the property %s in %d drawn cases; with Poisson noise %.1f %% of %d cases settle in 2 moves, mean %.1f, worst %g",
		holds, checks, 100*float64(few)/float64(len(moves)), len(moves), s.mean, s.max)
	return v, nil
}
