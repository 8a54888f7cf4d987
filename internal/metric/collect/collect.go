// Package collect turns what the runtime, the balancer and the scheduler say
// each second into datapoints with AWS's names, and into one account of each
// service for the autoscaler.
//
// The computation is a pure function of two readings; only the Collector's
// loop has a clock. Counters only grow: a smaller one than before has begun
// anew and counts in full.
package collect

import (
	"context"
	"log/slog"
	"time"

	"neargate/internal/metric"
	"neargate/internal/model"
)

// Sources are the parts that are read each second. Their methods must return
// at once.
type Sources struct {
	Runtime interface {
		Samples() []model.Sample
	}
	Balancer interface {
		Traffic() []model.TargetGroupTraffic
		LoadBalancerTraffic() []model.LoadBalancerTraffic
	}
	// Connect is Service Connect; nil: there is none.
	Connect interface {
		ConnectTraffic() []model.ConnectTraffic
	}
	Scheduler interface {
		ServiceTasks() []model.ServiceTasks
	}
}

// sink takes the datapoints.
type sink interface {
	Put(now time.Time, data []model.Datum) error
}

// Config is what a Collector may be told. All of it is optional.
type Config struct {
	// OnSecond gets each second's services, in the scheduler's order, after
	// the datapoints are stored. It runs on the Collector's goroutine: the
	// next second waits for it. The slice is the receiver's to keep.
	OnSecond func([]model.ServiceSecond)
}

// Collector reads its sources each second.
type Collector struct {
	src  Sources
	out  sink
	cfg  Config
	log  *slog.Logger
	last readings // owned by Run
}

// New creates a Collector.
func New(src Sources, out sink, cfg Config, log *slog.Logger) *Collector {
	return &Collector{src: src, out: out, cfg: cfg, log: log}
}

// early is by how much a timer may seem to fire before its time when the wall
// clock is being slewed.
const early = 50 * time.Millisecond

// Run collects on each full second until ctx ends; it returns nil then.
func (c *Collector) Run(ctx context.Context) error {
	return metric.EachFull(ctx, time.Second, early, c.tick)
}

func (c *Collector) tick(now time.Time) {
	cur := readings{
		at:        now.Add(early).Truncate(time.Second),
		read:      now,
		services:  c.src.Scheduler.ServiceTasks(),
		groups:    c.src.Balancer.Traffic(),
		balancers: c.src.Balancer.LoadBalancerTraffic(),
		samples:   c.src.Runtime.Samples(),
	}
	if c.src.Connect != nil {
		cur.endpoints = c.src.Connect.ConnectTraffic()
	}
	cur = indexed(cur, c.last)
	seconds, data := compute(c.last, cur)
	c.last = cur
	if err := c.out.Put(now, data); err != nil {
		c.log.Error("metrics lost", "error", err)
	}
	if c.cfg.OnSecond != nil && len(seconds) > 0 {
		c.cfg.OnSecond(seconds)
	}
}
