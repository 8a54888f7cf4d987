package scaling

import (
	"math"
	"time"
)

// leadWindow is how far back arrivals × CPU per request stand for CPU; further
// back the CPU itself is the better witness.
const leadWindow = time.Minute

// generous is how many standard deviations an order lies above the most likely
// load, so that the first second of a step orders what the step needs.
const generous = 1.5

// load is a policy's view of the offered load.
type load struct {
	perTask float64  // load that one task may carry
	slo     *slo     // or what tasks carry; nil: perTask each
	least   int      // tasks that there are in any case
	out, in float64  // strictness of the evidence to go out, and in
	idle    float64  // and what it uses on top without any
	main    evidence // what the policy's metric measures
	lead    evidence // an earlier witness; the zero value: none
}

// cpuLoad is CPU over all tasks, led by arrivals × CPU per request.
func (st *State) cpuLoad(p Policy, s second) load {
	l := load{perTask: p.Target / 100 * s.cores(), out: surely, in: steadyIn}
	// What an idle task uses, each task uses: it is no load that more tasks
	// could share.
	if s.Balanced && st.Demand.IdleKnown && st.Demand.Idle < 0.8*l.perTask {
		l.idle = st.Demand.Idle
		l.perTask -= l.idle
	}
	l.main = evidence{grain: st.Demand.workGrain(s.cores()), idle: l.idle}
	if each := st.Demand.perRequest(); s.Balanced && each > 0 {
		l.lead = evidence{grain: each * st.Demand.countGrain(), longest: leadWindow, each: each}
	}
	return l
}

// requestLoad is requests per second.
func (st *State) requestLoad(p Policy) load {
	return load{
		perTask: p.Target / 60, out: surely, in: steadyIn,
		main: evidence{grain: st.Demand.countGrain(), each: 1},
	}
}

// carries is the load that n tasks may carry.
func (l *load) carries(n int) float64 {
	if l.slo != nil {
		return l.slo.carries(n)
	}
	return l.perTask * float64(n)
}

// need is the count that carries a load.
func (l *load) need(x float64) int {
	if l.slo != nil {
		return l.slo.need(x)
	}
	n := math.Ceil(x/l.perTask - 1e-9)
	return int(min(max(n, 0), 1e6))
}

// sized is a load with the count that carries it.
func (l *load) sized(x float64) Size {
	n := l.need(x)
	s := Size{Load: x + l.idle*float64(n), Need: n}
	if l.slo != nil {
		s.Answer, s.Fewer = l.slo.answer(n, x), l.slo.answer(n-1, x)
	}
	return s
}

// view is what both witnesses say; lead is zero where there is none.
type view struct {
	main, lead      envelope
	rising, falling bool // a moment ago
}

func (l *load) view(ws *windows, strictness float64) view {
	v := view{main: l.main.envelope(ws, strictness)}
	v.falling = v.main.Change < 0 && v.main.Span < moving
	v.rising = v.main.Change > 0 && v.main.Span < moving
	if l.lead.known() {
		v.lead = l.lead.envelope(ws, strictness)
		v.rising = v.rising || v.lead.Change > 0 && v.lead.Span < moving
	}
	return v
}

// size is the load to order for: the most likely one, generously, and where it
// rises steadily, what it will be when the order has come into service.
func (l *load) size(ws *windows, v view, startup time.Duration) (x float64, basis Basis) {
	x = v.main.Mean + generous*v.main.Spread
	if l.lead.known() {
		x = max(x, v.lead.Mean+generous*v.lead.Spread)
	}
	if later := l.trend(ws, v, startup); later > x {
		return later, Rising
	}
	return x, UpTo
}

// trend is that of the earlier witness.
func (l *load) trend(ws *windows, v view, startup time.Duration) float64 {
	if l.lead.known() {
		return l.lead.trend(ws, v.lead, startup)
	}
	return l.main.trend(ws, v.main, startup)
}

// shortly is the window that tells of a collapse: long enough that at five
// requests a second chance does not halve it, with margin on top.
const (
	shortly = 5 * time.Second
	margin  = 1.25
)

// lately is the load of the last seconds, generously, by every witness; of the
// very last one too, which alone knows of a step. Requests in flight count as
// well: starved tasks use little CPU and are yet in need.
func (l *load) lately(ws *windows, perRequest float64, obs Observation) float64 {
	x := max(l.over(ws.within(shortly)), l.over(ws.within(time.Second)))
	if l.lead.known() {
		x = max(x, float64(obs.Second.InFlight+obs.Second.Queued)*perRequest)
	}
	return margin * x
}

// over is the load of a window by the witness that says more.
func (l *load) over(w *window) float64 {
	if w.span <= 0 {
		return math.Inf(1)
	}
	_, x := l.main.work(&w.Bucket)
	if l.lead.known() {
		_, lead := l.lead.work(&w.Bucket)
		x = max(x, lead)
	}
	return x / w.span
}

// recent is what the load of the last half minute was at least, on the whole.
func (l *load) recent(ws *windows) float64 {
	e := &l.main
	if l.lead.known() {
		e = &l.lead
	}
	a := e.sum(ws.within(minScaleIn))
	if a.span <= 0 {
		return 0
	}
	return a.rate() - math.Sqrt(e.grain*a.rate()/a.span)
}

// trend is the load at the end of a start-up and a little later if it goes on
// rising as it does; 0 where no rise is sure. Only a part of the rise that is
// likely is reckoned with.
func (e *evidence) trend(ws *windows, env envelope, startup time.Duration) float64 {
	half := env.Span / 2
	if half < shortestTrend {
		return 0
	}
	late, all := e.sum(ws.within(half)), e.sum(ws.within(env.Span))
	early := amount{work: all.work - late.work, span: all.span - late.span}
	if early.span <= 0 || late.blurred || all.blurred {
		return 0
	}
	slope := (late.rate() - early.rate()) / (all.span / 2)
	sigma := math.Sqrt(e.grain*(late.rate()/late.span+early.rate()/early.span)) / (all.span / 2)
	if slope < 2*sigma {
		return 0
	}
	ahead := (slope - sigma) * (late.span/2 + startup.Seconds() + lookAhead.Seconds())
	return late.rate() + min(ahead, farthest*late.rate())
}

// farthest is how much of the load itself a rise is reckoned to add at most: a
// steep rise is short more often than not, and is followed as it comes.
const farthest = 0.3

// shortestTrend is half the shortest time over which a trend is read.
const shortestTrend = 8 * time.Second

// lookAhead is how much of a steady rise beyond the start-up time one order
// covers, so that a long ramp takes few orders.
const lookAhead = 10 * time.Second

// amount is work over a span of seconds.
type amount struct {
	work, span float64
	blurred    bool // the work is not known well
}

func (a amount) rate() float64 { return a.work / a.span }

// sum is the work of a window.
func (e *evidence) sum(w *window) amount {
	low, high := e.work(&w.Bucket)
	return amount{work: low, span: w.span, blurred: high-low > 0.02*high}
}
