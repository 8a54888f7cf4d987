package collect

import (
	"time"

	"neargate/internal/model"
)

// readings is all that was read at one tick.
type readings struct {
	at        time.Time // the full second this tick stands for
	read      time.Time // when it was really read
	services  []model.ServiceTasks
	samples   []model.Sample
	groups    []model.TargetGroupTraffic
	balancers []model.LoadBalancerTraffic
}

// compute gives what happened between two readings. Without a reading before,
// nothing can be told.
func compute(prev, cur readings) ([]model.ServiceSecond, []model.Datum) {
	if prev.at.IsZero() || !cur.read.After(prev.read) {
		return nil, nil
	}
	s := second{
		at:       cur.at,
		interval: cur.read.Sub(prev.read),
		usage:    usages(prev.samples, cur.samples),
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
	return seconds, s.data
}

// second gathers the datapoints of one second.
type second struct {
	at       time.Time // its end
	interval time.Duration
	usage    map[string]usage                    // by task
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

// usage is a task's consumption.
type usage struct {
	cpu    time.Duration // consumed over elapsed
	over   time.Duration // between the two samples
	memory int64         // bytes, now
}

// usages pairs each task's samples. A task's first sample has no partner: how
// much of a second it covers is not known, so it only serves the next.
func usages(prev, cur []model.Sample) map[string]usage {
	before := make(map[string]model.Sample, len(prev))
	for _, s := range prev {
		before[s.TaskID] = s
	}
	out := make(map[string]usage, len(cur))
	for _, now := range cur {
		was, ok := before[now.TaskID]
		if !ok || !now.At.After(was.At) {
			continue
		}
		cpu := now.CPU - was.CPU
		if cpu < 0 {
			cpu = now.CPU
		}
		out[now.TaskID] = usage{cpu, now.At.Sub(was.At), now.Memory}
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

// groupDeltas gives each target group's second: counters as differences,
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
		completed := g.Completed
		g.Completed = delta(was.Completed, g.Completed)
		for i := range g.Status {
			g.Status[i] = delta(was.Status[i], g.Status[i])
		}
		g.ConnErrors = delta(was.ConnErrors, g.ConnErrors)
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

// bucketsDelta gives the buckets that have grown.
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
