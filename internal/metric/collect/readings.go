package collect

import (
	"slices"
	"time"

	"neargate/internal/model"
)

// readings is all that was read at one tick.
type readings struct {
	at        time.Time // the full second this tick stands for
	read      time.Time // when it was really read
	services  []model.ServiceTasks
	samples   []model.Sample
	index     map[string]int // of samples, by task; see indexed
	groups    []model.TargetGroupTraffic
	balancers []model.LoadBalancerTraffic
	endpoints []model.ConnectTraffic
}

// compute returns what happened between two readings. Without a reading before,
// nothing can be told.
func compute(prev, cur readings) ([]model.ServiceSecond, []model.Datum) {
	if prev.at.IsZero() || !cur.read.After(prev.read) {
		return nil, nil
	}
	prev, cur = indexed(prev, readings{}), indexed(cur, prev)
	s := second{
		at:       cur.at,
		interval: cur.read.Sub(prev.read),
		usage:    usages(prev, cur),
		index:    cur.index,
		groups:   groupDeltas(prev.groups, cur.groups),
		// About what idle services have; busy ones make it grow.
		data: make([]model.Datum, 0, 4*len(cur.services)+7*len(cur.groups)+4*len(cur.balancers)),
	}
	seconds := make([]model.ServiceSecond, 0, len(cur.services))
	for _, tasks := range cur.services {
		seconds = append(seconds, s.service(tasks))
	}
	s.targetGroups(cur.groups)
	s.loadBalancers(prev.balancers, cur.balancers)
	s.connects(prev.endpoints, cur.endpoints)
	return seconds, s.data
}

// second gathers the datapoints of one second.
type second struct {
	at       time.Time // its end
	interval time.Duration
	usage    []usage                             // of each sample
	index    map[string]int                      // of usage, by task
	groups   map[string]model.TargetGroupTraffic // what happened in this second; by ARN
	data     []model.Datum
}

// add puts a datapoint. A second's datapoint stands at its beginning, as a
// minute's does, so that a minute is made of its own 60 seconds.
func (s *second) add(d model.Datum) {
	d.At = s.at.Add(-time.Second)
	d.Resolution = 1
	s.data = append(s.data, d)
}

// usages returns the consumption of those of the tasks where it is known.
func (s *second) usages(tasks []string) []usage {
	if len(tasks) == 0 {
		return nil
	}
	out := make([]usage, 0, len(tasks))
	for _, id := range tasks {
		if i, ok := s.index[id]; ok && s.usage[i].over > 0 {
			out = append(out, s.usage[i])
		}
	}
	return out
}

// usage is a task's consumption.
type usage struct {
	cpu    time.Duration // consumed over elapsed
	over   time.Duration // between the two samples; 0 when there is only one
	memory int64         // bytes, now
}

// indexed returns r with its index. Mostly the tasks are those of the readings
// before, whose index serves then: to make one is what takes time with very
// many tasks.
func indexed(r, before readings) readings {
	if r.index != nil {
		return r
	}
	same := func(a, b model.Sample) bool { return a.TaskID == b.TaskID }
	if before.index != nil && slices.EqualFunc(r.samples, before.samples, same) {
		r.index = before.index
		return r
	}
	r.index = make(map[string]int, len(r.samples))
	for i, s := range r.samples {
		r.index[s.TaskID] = i
	}
	return r
}

// usages pairs each task's samples. A task's first sample has no partner: how
// much of a second it covers is not known, so it only serves the next.
func usages(prev, cur readings) []usage {
	out := make([]usage, len(cur.samples))
	for i, now := range cur.samples {
		at, ok := i, i < len(prev.samples) && prev.samples[i].TaskID == now.TaskID
		if !ok {
			at, ok = prev.index[now.TaskID]
		}
		if !ok || !now.At.After(prev.samples[at].At) {
			continue
		}
		was := prev.samples[at]
		cpu := now.CPU - was.CPU
		if cpu < 0 {
			cpu = now.CPU
		}
		out[i] = usage{cpu, now.At.Sub(was.At), now.Memory}
	}
	return out
}

// delta is how much a counter has grown.
func delta(was, now uint64) uint64 {
	if now < was {
		return now
	}
	return now - was
}

// groupDeltas returns each target group's second: counters as differences,
// gauges as they are now.
func groupDeltas(prev, cur []model.TargetGroupTraffic) map[string]model.TargetGroupTraffic {
	before := make(map[string]*model.TargetGroupTraffic, len(prev))
	for i := range prev {
		before[prev[i].TargetGroupARN] = &prev[i]
	}
	out := make(map[string]model.TargetGroupTraffic, len(cur))
	for _, g := range cur {
		was := before[g.TargetGroupARN]
		if was == nil {
			was = &model.TargetGroupTraffic{}
		}
		g.Arrivals = delta(was.Arrivals, g.Arrivals)
		g.Requests = delta(was.Requests, g.Requests)
		g.FailOpen = delta(was.FailOpen, g.FailOpen)
		completed := g.Completed
		g.Completed = delta(was.Completed, g.Completed)
		for i := range g.Status {
			g.Status[i] = delta(was.Status[i], g.Status[i])
		}
		g.ConnErrors = delta(was.ConnErrors, g.ConnErrors)
		g.Spared = sparedDelta(was.Spared, g.Spared)
		if completed == was.Completed {
			g.ResponseTime, g.Latency = model.Buckets{}, model.Buckets{} // nothing was answered: spare the comparison
		} else {
			g.ResponseTime = bucketsDelta(was.ResponseTime, g.ResponseTime)
			g.Latency = bucketsDelta(was.Latency, g.Latency)
		}
		out[g.TargetGroupARN] = g
	}
	return out
}

// sparedDelta returns the reasons that have come up, in an order that stays.
func sparedDelta(was, now []model.Spared) []model.Spared {
	var out []model.Spared
	for _, s := range now {
		for _, w := range was {
			if w.Reason == s.Reason {
				s.Count = delta(w.Count, s.Count)
			}
		}
		if s.Count > 0 {
			out = append(out, s)
		}
	}
	return out
}

// bucketsDelta returns the buckets that have grown.
func bucketsDelta(was, now model.Buckets) model.Buckets {
	again := len(was.Counts) != len(now.Counts) || was.Sum > now.Sum
	d := model.Buckets{Sum: now.Sum}
	if !again {
		d.Sum -= was.Sum
	}
	for i, count := range now.Counts {
		n := count
		if !again {
			n = delta(was.Counts[i], count)
		}
		if n > 0 {
			d.Values = append(d.Values, now.Values[i])
			d.Counts = append(d.Counts, n)
		}
	}
	return d
}
