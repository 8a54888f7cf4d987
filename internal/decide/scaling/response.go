package scaling

import (
	"math"
	"time"

	"neargate/internal/model"
)

// Response learns how long a service's answers take beside what the table says
// of as many tasks as busy: the table knows how waiting grows with use, the
// service knows how long it works on a request, and how unevenly.
type Response struct {
	Counts [responseBins]uint32 // answers of this spell by how long they took
	Total  uint32
	Work   float64 // vCPU-seconds used in it
	Room   float64 // and allowed
	Tasks  int     // that served in it
	Scale  float64 // seconds: the measured percentile over the table's; 0: none was measured
}

// A response time falls into bins that are 5 % apart, from 1 ms on.
const (
	responseBins   = 240
	shortestAnswer = 1e-3
	longestAnswer  = 160
	binStep        = 0.05
)

// A spell is as long as it takes to know the percentile; one in which the tasks
// were all but busy tells of a backlog, not of the percentile.
const (
	spellTail = 10 // answers slower than the percentile
	spellBusy = 0.93
)

// scaleBand is by how much of itself the scale must be off to be moved, so that
// chance moves nothing.
const scaleBand = 0.1

// learn takes a second in, and gives what is known then.
func (r *Response) learn(s second, percentile float64) *Response {
	next := &Response{}
	if r != nil {
		*next = *r
	}
	if s.Running != next.Tasks || s.Sampled < s.Running {
		next.forget(s.Running)
	}
	next.Work += s.CPU.Seconds()
	next.Room += float64(s.Running) * s.CPUPerTask.Seconds()
	for i, n := range s.Latency.Counts {
		if n > 0 && i < len(s.Latency.Values) && s.Latency.Values[i] >= 0 { // NaN is not
			n = min(n, 1<<24)
			next.Counts[responseBin(s.Latency.Values[i])] += uint32(n)
			next.Total += uint32(n)
		}
	}
	if float64(next.Total)*(100-percentile)/100 < spellTail || next.Room == 0 {
		return next
	}
	if busy := next.Work / next.Room; busy < spellBusy {
		servers, _ := serversOf(s.Running, s.cores())
		next.move(next.quantile(percentile) / tabled(percentile, servers, busy))
	}
	next.forget(s.Running)
	return next
}

func (r *Response) forget(tasks int) { *r = Response{Scale: r.Scale, Tasks: tasks} }

// move brings the scale nearer to what a spell showed: up quickly, down slowly.
func (r *Response) move(seen float64) {
	switch {
	case r.Scale == 0:
		r.Scale = seen
	case seen > r.Scale*(1+scaleBand):
		r.Scale += 0.5 * (seen - r.Scale)
	case seen < r.Scale*(1-scaleBand):
		r.Scale += 0.2 * (seen - r.Scale)
	}
}

func responseBin(seconds float64) int {
	switch {
	case seconds <= shortestAnswer:
		return 0
	case seconds >= longestAnswer:
		return responseBins - 1
	}
	return min(int(math.Log(seconds/shortestAnswer)/binStep), responseBins-1)
}

// quantile is a percentile of the spell in seconds.
func (r *Response) quantile(percentile float64) float64 {
	rank := percentile / 100 * float64(r.Total)
	for i, n := range r.Counts {
		if rank <= float64(n) && n > 0 {
			return shortestAnswer * math.Exp(binStep*(float64(i)+rank/float64(n)))
		}
		rank -= float64(n)
	}
	return shortestAnswer * math.Exp(binStep*responseBins)
}

// serversOf is how many requests are worked on at full speed at once, and the
// speed of each: a task of several vCPU is as many servers.
func serversOf(tasks int, cores float64) (servers int, speed float64) {
	each := max(1, int(cores+1e-9))
	return tasks * each, cores / float64(each)
}

// tabled is what the table says of a percentile of the response time.
func tabled(percentile float64, servers int, busy float64) float64 {
	low, high, part := between(servers)
	a, b := tableRow(percentile, low), tableRow(percentile, high)
	x, y := along(&a, busy), along(&b, busy)
	return x + (y-x)*part
}

// tableRow is the table's row of a percentile for one of its counts. Tails fall
// about exponentially: between two percentiles the response time grows with
// the logarithm of the share that is slower.
func tableRow(percentile float64, count int) [len(tableBusy)]float64 {
	last := len(tablePercentiles) - 1
	i := 0
	for i < last-1 && percentile > tablePercentiles[i+1] {
		i++
	}
	slower := func(p float64) float64 { return math.Log(100 - min(p, 99.99)) }
	a, b := slower(tablePercentiles[i]), slower(tablePercentiles[i+1])
	part := (slower(percentile) - a) / (b - a)
	row := responseTable[i][count]
	for j, y := range responseTable[i+1][count] {
		row[j] = max(1, row[j]+(y-row[j])*part)
	}
	return row
}

// between finds the table's counts around n, and how far it is from the lower
// to the upper.
func between(n int) (low, high int, part float64) {
	last := len(tableTasks) - 1
	switch {
	case n <= tableTasks[0]:
		return 0, 0, 0
	case n >= tableTasks[last]:
		return last, last, 0
	}
	for tableTasks[high] < n {
		high++
	}
	a, b := math.Log(float64(tableTasks[high-1])), math.Log(float64(tableTasks[high]))
	return high - 1, high, (math.Log(float64(n)) - a) / (b - a)
}

// along reads a row of the table at a utilisation.
func along(row *[len(tableBusy)]float64, busy float64) float64 {
	last := len(tableBusy) - 1
	switch {
	case busy <= tableBusy[0]:
		return row[0]
	case busy >= tableBusy[last]:
		return row[last]
	}
	i := 0
	for tableBusy[i+1] < busy {
		i++
	}
	return row[i] + (row[i+1]-row[i])*(busy-tableBusy[i])/(tableBusy[i+1]-tableBusy[i])
}

// hasAnswers reports that a second tells how long answers took.
func hasAnswers(b model.Buckets) bool { return len(b.Values) > 0 && len(b.Counts) > 0 }

// answerTime is how long an idle task takes, before anything was measured.
func answerTime(perRequest, speed float64) time.Duration {
	return time.Duration(perRequest / min(max(speed, 1e-3), 1) * float64(time.Second))
}
