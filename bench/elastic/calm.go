package main

import (
	"context"
	"fmt"
)

const (
	calmFrom, calmTo = 5.0, 85.0
	day              = 86400
)

// calm is goal 2: a day of constant load, from the count that it needs.
func (b *bench) calm(ctx context.Context) (verdict, error) {
	var rates []float64
	for r := calmFrom; r <= calmTo+1e-9; r += b.grid {
		rates = append(rates, r)
	}
	actions := make([]int, len(rates)*b.calmSeeds)
	said := make([]string, len(actions))
	err := b.each(ctx, len(actions), func(i int) error {
		rate := rates[i/b.calmSeeds]
		r, err := run(plant(hold(rate, 0, rate, day), uint64(1000+i%b.calmSeeds), 0), cpuPolicy())
		if err != nil {
			return err
		}
		actions[i] = len(r.Orders)
		for _, o := range r.Orders {
			said[i] += fmt.Sprintf("%.1f rps, second %d: %d to %d, %s; ", rate, o.At, o.From, o.To, o.Reason)
		}
		return nil
	})
	if err != nil {
		return verdict{}, err
	}
	v := verdict{goal: "at most 1 at every rate"}
	worst, sum, moved := 0, 0, 0
	for i, n := range actions {
		worst, sum = max(worst, n), sum+n
		if n > 0 {
			moved++
			v.detail = append(v.detail, said[i])
		}
	}
	v.met = worst <= 1
	v.figure = fmt.Sprintf("24 h of constant load: at most %d scaling actions at any of %d rates from %g to %g rps (%d seeds each); %d in all, at %d rates",
		worst, len(rates), calmFrom, calmTo, b.calmSeeds, sum, moved)
	return v, nil
}
