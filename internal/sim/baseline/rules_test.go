package baseline

import (
	"reflect"
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// TestKPAByHand: target 0.55 requests at once. 8.8 at once on 2 tasks: the
// panic window wants 16, 8 times what is ready: panic, at most 1000 times up.
func TestKPAByHand(t *testing.T) {
	k := NewKPA(setting(2))
	if n := k.scale(2, 1.1, 8.8, 100); n != 16 || !k.panicking {
		t.Errorf("into panic: %d (%v), want 16", n, k.panicking)
	}
	// In panic nothing goes, though both windows want less.
	if n := k.scale(16, 1.1, 1.1, 160); n != 16 {
		t.Errorf("60 s after: %d, want 16 still", n)
	}
	// 61 s after it was last over the threshold it ends; at most half goes.
	if n := k.scale(16, 1.1, 1.1, 161); n != 8 || k.panicking {
		t.Errorf("61 s after: %d (%v), want 8", n, k.panicking)
	}
	// Below twice the ready count there is no panic: the stable window counts.
	if n := k.scale(8, 4.4, 8.2, 163); n != 8 || k.panicking {
		t.Errorf("stable: %d (%v), want 8", n, k.panicking)
	}
}

// TestKPABeginsInPanic: with more than one task at the beginning nothing goes
// in the first minute.
func TestKPABeginsInPanic(t *testing.T) {
	w := newWorld(t, NewKPA(setting(10)), 10, 1)
	w.until(60, 0, 0).has(10).until(62, 0, 0).has(5).until(64, 0, 0).has(2)
}

// TestKPAToZero: the last task goes 30 s after nothing was wanted, in the mean
// of 60 s.
func TestKPAToZero(t *testing.T) {
	s := setting(1)
	s.Min = 0
	k := NewKPA(s)
	k.target = 1
	w := newWorld(t, k, 1, 1)
	w.until(10, 0.5, 1).has(1)
	// The last request was at 10: the window is empty at 70; then 30 s.
	w.until(98, 0, 0).has(1).until(100, 0, 0).has(0)
}

// TestNomadByHand: 80 % of 3 tasks with target 50: factor 1.6, 4.8 → 5; the
// next decision comes 300 s later.
func TestNomadByHand(t *testing.T) {
	w := newWorld(t, NewNomad(setting(3)), 3, 1)
	w.until(9, 2.4, 1).has(3).until(10, 2.4, 1).has(5)
	w.until(309, 5, 1).has(5).until(310, 5, 1).has(10)
	w.until(900, 5.04, 1).has(10) // 0.8 % over: within the threshold
}

// TestGCEByHand: 100 % of 2 tasks for 10 s needs 4. New ones are taken to be as
// busy as the old ones for 60 s. The peak holds for ten minutes.
func TestGCEByHand(t *testing.T) {
	w := newWorld(t, NewGCE(setting(2)), 2, 15)
	w.until(9, 2, 1).has(2).until(10, 2, 1).has(4)
	w.until(29, 2, 1).has(4) // the usage halves as the new ones serve from 26 on
	w.until(620, 0.5, 1)
	if len(w.tasks) < 4 {
		t.Fatalf("ten minutes after the peak: %d tasks", len(w.tasks))
	}
	w.until(660, 0.5, 1).has(2)
}

// TestCPURuleByHand: 90 % of 2 tasks for 10 s: 3.6 → 4; then 30 s of rest.
func TestCPURuleByHand(t *testing.T) {
	w := newWorld(t, NewCPURule(setting(2)), 2, 1)
	w.until(9, 1.8, 1).has(2).until(10, 1.8, 1).has(4)
	w.until(39, 4, 1).has(4).until(40, 4, 1).has(8)
	w.until(69, 1, 1).has(8).until(70, 1, 1).has(2)
	w.until(200, 1.1, 1).has(2) // 55 %: within the band
}

func TestUtilizationByHand(t *testing.T) {
	need := Utilization(setting(2), 100*time.Millisecond)
	if got := need.Series([]float64{0, 10, 10.1, 80, 200}); !reflect.DeepEqual(got, []int{2, 2, 3, 16, 20}) {
		t.Errorf("needs %v", got)
	}
}

// TestReactiveByHand: it is told the rate of the second that begins; a task
// that is not needed stays for the 3 s that a start takes.
func TestReactiveByHand(t *testing.T) {
	s := setting(2)
	r := NewReactive(Utilization(s, 100*time.Millisecond), 3*time.Second, 2)
	var got []int
	for _, rate := range []float64{10, 80, 40, 40, 40, 40, 10, 10, 40} {
		r.See(sim.View{Rate: rate})
		n, _ := r.Second(model.ServiceSecond{})
		got = append(got, n)
	}
	if want := []int{2, 16, 16, 16, 16, 8, 8, 8, 8}; !reflect.DeepEqual(got, want) {
		t.Errorf("counts %v, want %v", got, want)
	}
}

// TestClairvoyantIsTheLeast: it never lacks a task, and costs what Optimum says
// as far as the load lets draining tasks go at once.
func TestClairvoyantIsTheLeast(t *testing.T) {
	rates := make([]float64, 600)
	for i := range rates {
		rates[i] = float64(10 + 70*((i/60)%2))
	}
	const start = 10 * time.Second
	need := Utilization(setting(2), 100*time.Millisecond)
	c := NewClairvoyant(need, rates, start)
	r, err := sim.Run(sim.Config{
		Seed: 1, Rates: rates, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: start, Initial: c.Initial(), Scaler: c, SLO: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	series := need.Series(rates)
	for i, s := range r.Seconds {
		if s.Running < series[i] {
			t.Fatalf("second %d: %d tasks, need %d", i, s.Running, series[i])
		}
	}
	if want := sim.Optimum(series, start.Seconds(), c.Initial()); r.TaskSeconds < want || r.TaskSeconds > 1.01*want {
		t.Errorf("cost %.0f, optimum %.0f", r.TaskSeconds, want)
	}
}
