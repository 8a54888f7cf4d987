package steady

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAFewServicesAreDecidedEachSecond(t *testing.T) {
	began := 0
	r, err := Run(t.Context(), Config{
		Services: 26, Tasks: 20, Window: 2500 * time.Millisecond, Warm: 1500 * time.Millisecond,
		Begin: func() (func() error, error) { began++; return func() error { began++; return nil }, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Decided < 26 || r.Decided%26 != 0 || began != 2 {
		t.Errorf("%d decisions, begun and ended %d times, want every second's 26, and 2", r.Decided, began)
	}
	sum := 0.0
	for _, p := range r.Parts {
		sum += p.Cores
	}
	if r.Path <= 0 || r.Server <= r.Path || sum < 0.99*r.Server || sum > 1.01*r.Server {
		t.Errorf("path %v, server %v, parts %v: want the parts to make the server, and the path some of them", r.Path, r.Server, r.Parts)
	}
	if _, err := Run(t.Context(), Config{Services: 1, Window: time.Second}); err == nil {
		t.Error("no tasks are no error")
	}
}

func TestMeter(t *testing.T) {
	spin := func(d time.Duration) {
		for began, now := threadCPU(unix.Gettid()), time.Duration(0); now < d; {
			now = threadCPU(unix.Gettid()) - began
		}
	}
	var m meter
	errEnd := errors.New("the end")
	err := m.run("out", func() error {
		spin(20 * time.Millisecond)
		m.in("in", func() { spin(60 * time.Millisecond) })
		total := map[string]time.Duration{}
		m.add(total)
		if total["in"] <= total["out"] || total["out"] <= 0 {
			t.Errorf("used %v, want most of it in", total)
		}
		return errEnd
	})
	if !errors.Is(err, errEnd) {
		t.Errorf("run gave %v", err)
	}
}
