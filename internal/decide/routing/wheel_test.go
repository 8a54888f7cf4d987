package routing_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/decide/routing"
)

func TestWheelPicksByWeight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.1, 0.25, 0.5, 1}), 1, 12).Draw(t, "weights")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		w := routing.NewWheel(weights)
		total, even := 0.0, true
		for _, v := range weights {
			total += v
			even = even && v == weights[0]
		}
		if w == nil {
			if total > 0 && !even {
				t.Fatalf("no wheel of %v", weights)
			}
			return
		}
		const draws = 20000
		took := make([]float64, len(weights))
		for range draws {
			took[w.Pick(rng.Uint64())]++
		}
		for i, v := range weights {
			want := draws * v / total
			if v == 0 && took[i] > 0 || math.Abs(took[i]-want) > 6*math.Sqrt(want+1) {
				t.Fatalf("of weights %v target %d took %v, want about %v", weights, i, took[i], want)
			}
		}
	})
}

func TestWheelTakesTurns(t *testing.T) {
	w := routing.NewWheel([]float64{1, 0.25, 0})
	rng := rand.New(rand.NewPCG(1, 2))
	took := make([]int, 3)
	for range 10000 {
		for i := range took {
			if w.Takes(i, rng.Uint64()) {
				took[i]++
			}
		}
	}
	if took[0] != 10000 || took[1] < 2300 || took[1] > 2700 || took[2] != 0 {
		t.Errorf("took %v of 10000 turns each", took)
	}
}

func TestShare(t *testing.T) {
	since := time.Unix(1000, 0)
	for after, want := range map[time.Duration]float64{-time.Second: 0, 0: 0, 15 * time.Second: 0.5, 30 * time.Second: 1, time.Hour: 1} {
		if got := routing.Share(since, since.Add(after), 30*time.Second); got != want {
			t.Errorf("share %v after %v, want %v", got, after, want)
		}
	}
	if got := routing.Share(time.Time{}, since, 30*time.Second); got != 1 {
		t.Errorf("share %v of a target that is not in slow start", got)
	}
}

func TestWarms(t *testing.T) {
	rows := []struct {
		name   string
		ramp   time.Duration
		others []float64
		want   bool
	}{
		{"slow start is off", 0, []float64{1}, false},
		{"the first of its group", time.Minute, nil, false},
		{"beside one that serves fully", time.Minute, []float64{0.3, 1}, true},
		{"beside those in slow start only", time.Minute, []float64{0.3, 0.9}, false},
	}
	for _, r := range rows {
		if got := routing.Warms(r.ramp, r.others); got != r.want {
			t.Errorf("%s: %v", r.name, got)
		}
	}
}

// In a group too large to look at every target the pick is still far from the
// busiest, and idle targets all get their turn.
func TestPickLeastOfMany(t *testing.T) {
	const n = 1000
	rng := rand.New(rand.NewPCG(1, 1))
	loads := make([]int, n)
	for i := range loads {
		loads[i] = 1 + rng.IntN(100)
	}
	idlest := 0
	for turn := range uint64(1000) {
		if loads[routing.Pick(routing.LeastOutstanding, loads, load, turn, 0)] <= 5 {
			idlest++
		}
	}
	if idlest < 900 {
		t.Errorf("%d of 1000 picks are among the idlest 5 %%", idlest)
	}
	idle, took := make([]int, n), make([]int, n)
	for turn := range uint64(10 * n) {
		took[routing.Pick(routing.LeastOutstanding, idle, load, turn, 0)]++
	}
	for i, k := range took {
		if k < 5 || k > 15 {
			t.Errorf("idle target %d took %d of %d requests, want about 10", i, k, 10*n)
		}
	}
	loads[777] = 0
	if got := routing.Least(loads, load, 3); got != 777 {
		t.Errorf("the least busy of all is %d, want 777", got)
	}
	if got := routing.Least(nil, load, 3); got != -1 {
		t.Errorf("the least busy of none is %d", got)
	}
}
