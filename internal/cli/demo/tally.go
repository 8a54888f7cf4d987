package demo

import (
	"math"
	"slices"
	"sync"
	"time"

	"neargate/internal/load"
)

// tally counts the load's results by the second in which they ended.
type tally struct {
	start time.Time

	mu       sync.Mutex
	seconds  map[int]*secondTally
	all      []float64 // latencies in milliseconds, successes
	requests int
	failures int
	first    string // the first failure, in words
}

type secondTally struct {
	requests, errors int
	latencies        []float64 // milliseconds
}

func newTally(start time.Time) *tally {
	return &tally{start: start, seconds: map[int]*secondTally{}}
}

func (t *tally) add(r load.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := int(r.Done.Sub(t.start) / time.Second)
	s := t.seconds[i]
	if s == nil {
		s = &secondTally{}
		t.seconds[i] = s
	}
	t.requests++
	s.requests++
	if r.Failed() {
		t.failures++
		s.errors++
		if t.first == "" {
			t.first = describeFailure(r)
		}
		return
	}
	ms := float64(r.Latency()) / 1e6
	s.latencies = append(s.latencies, ms)
	t.all = append(t.all, ms)
}

func describeFailure(r load.Result) string {
	if r.Err != nil {
		return r.Err.Error()
	}
	return "status " + httpStatus(r.Status)
}

// latencyWindow is over how many seconds a shown percentile reaches back: at
// some 20 requests a second, one second alone has no p99.
const latencyWindow = 5

// second returns what ended in second i, percentiles over the window before it.
func (t *tally) second(i int) (requests, errors int, p50, p99 float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var window []float64
	for j := i - latencyWindow + 1; j <= i; j++ {
		if s := t.seconds[j]; s != nil {
			window = append(window, s.latencies...)
		}
	}
	if s := t.seconds[i]; s != nil {
		requests, errors = s.requests, s.errors
	}
	slices.Sort(window)
	return requests, errors, percentile(window, 50), percentile(window, 99)
}

// totals returns the whole run.
func (t *tally) totals() (requests, failures int, first string, p50, p99 float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Sorted(slices.Values(t.all))
	return t.requests, t.failures, t.first, percentile(all, 50), percentile(all, 99)
}

// percentile returns the nearest-rank percentile of sorted values, NaN of none.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}
