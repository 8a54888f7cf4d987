package scaling

import "math"

// An SLO is a target-tracking policy on a percentile of the response time. The
// count is the smallest that keeps the percentile, by the table of how waiting
// grows with use, in units of what the service was measured to take. A steady
// load is given a sixth of the answers that may be over the target; the rest
// is for the time that a change of the load takes to be answered.
const steadyShare = 6

// slo is what tasks carry under a target.
type slo struct {
	servers int                      // of a task
	cores   float64                  // of a task
	busy    [len(tableTasks)]float64 // the highest use that keeps the target, by the table's counts
	scale   float64                  // seconds
	target  float64                  // seconds
	strict  float64                  // the percentile that a steady load keeps
}

// lowest is how busy tasks may be even where the target cannot be met, and
// idleShare how much of the time of an idle task waiting may then add: more
// tasks do not make one request faster.
const (
	lowest    = 0.2
	idleShare = 0.25
)

// newSLO reads a target of seconds for a percentile off the table.
func newSLO(target, percentile, scale, cores float64) slo {
	strict := 100 - (100-percentile)/steadyShare
	servers, _ := serversOf(1, cores)
	o := slo{servers: servers, cores: cores, scale: scale, target: target, strict: strict}
	for i := range tableTasks {
		row := tableRow(strict, i)
		o.busy[i] = across(&row, max(target/scale, (1+idleShare)*row[0]))
	}
	return o
}

// across is the highest use at which a row of the table stays within limit.
func across(row *[len(tableBusy)]float64, limit float64) float64 {
	last := len(row) - 1
	if row[last] <= limit {
		return tableBusy[last]
	}
	i := last
	for i > 0 && row[i] > limit {
		i--
	}
	if row[i] > limit {
		return lowest
	}
	u := tableBusy[i] + (tableBusy[i+1]-tableBusy[i])*(limit-row[i])/(row[i+1]-row[i])
	return max(u, lowest)
}

// use is how busy n tasks may be.
func (o *slo) use(n int) float64 {
	low, high, part := between(n * o.servers)
	return o.busy[low] + (o.busy[high]-o.busy[low])*part
}

// carries is the load that n tasks carry.
func (o *slo) carries(n int) float64 { return float64(n) * o.cores * o.use(n) }

// need is the smallest count that carries a load.
func (o *slo) need(x float64) int {
	last := len(tableTasks) - 1
	n := max(1, int(x/(o.cores*tableBusy[len(tableBusy)-1])))
	for o.carries(n) < x-1e-9 {
		if n*o.servers >= tableTasks[last] { // from here on it is proportional
			return int(min(math.Ceil(x/(o.cores*o.busy[last])-1e-9), 1e6))
		}
		n++
	}
	return n
}

// answer is what the table says of the percentile that a steady load keeps, for
// n tasks under a load: seconds, +Inf where they cannot carry it.
func (o *slo) answer(n int, x float64) float64 {
	busy := x / (float64(n) * o.cores)
	if n <= 0 || busy >= 1 {
		return math.Inf(1)
	}
	return o.scale * tabled(o.strict, n*o.servers, busy)
}

// responseLoad is the offered CPU as a target for response times lets tasks
// carry it. Known is false before anything is known of a request.
func (st *State) responseLoad(p Policy, r *Response, s second) (l load, known bool) {
	each := st.Demand.perRequest()
	scale := 0.0
	if r != nil {
		scale = r.Scale
	}
	if scale == 0 {
		_, speed := serversOf(1, s.cores())
		scale = answerTime(each, speed).Seconds()
	}
	if scale <= 0 {
		return load{}, false
	}
	l = st.cpuLoad(Policy{Metric: CPU, Target: 100}, s)
	o := newSLO(p.Target, p.Percentile, scale, s.cores())
	l.slo, l.out, l.in = &o, promptly, gladly
	return l, true
}

// crowd is how many requests in flight say, whatever the evidence of the load,
// that the target will be missed: each server has nearly as many as it can
// answer within it.
func (o *slo) crowd(tasks int) float64 {
	within := o.target / o.scale
	return float64(tasks*o.servers) * max(crowded*within, 2)
}

// crowded is the part of the requests that can be answered within the target
// that makes a crowd.
const crowded = 0.7
