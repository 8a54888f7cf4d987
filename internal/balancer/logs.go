package balancer

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/model"
)

// logEvery is how often logs are written. AWS: each five minutes; here somebody
// waits for them.
const logEvery = time.Minute

// retiredLogs are the logs whose load balancer goes on without them.
type retiredLogs struct {
	mu  sync.Mutex
	all []*accesslog.Log // guarded by mu
}

// logPlace returns where a log of a load balancer goes; without a bucket: it has
// none.
func (b *Balancer) logPlace(lb model.LoadBalancer, c *lbConf, kind accesslog.Kind) accesslog.Place {
	a, of := lb.Attributes, kind.Attribute()
	if a[of+"enabled"] != "true" || b.cfg.Logs == nil {
		return accesslog.Place{}
	}
	return accesslog.Place{
		Place: b.cfg.Place, Kind: kind, LoadBalancer: c.resource, Address: c.address,
		Bucket: a[of+"bucket"], Prefix: trimmed(a[of+"prefix"]),
	}
}

var errNoLogs = errors.New("this server has nowhere to keep logs")

// TryLog puts AWS's test file where a log is to go.
func (b *Balancer) TryLog(ctx context.Context, kind accesslog.Kind, bucket, prefix string) error {
	if b.cfg.Logs == nil {
		return errNoLogs
	}
	place := accesslog.Place{Place: b.cfg.Place, Kind: kind, Bucket: bucket, Prefix: trimmed(prefix)}
	return b.cfg.Logs.Put(ctx, bucket, place.TestKey(), place.TestText(time.Now()))
}

func trimmed(prefix string) string { return strings.Trim(prefix, "/") }

// relog has a load balancer log to where its configuration says.
func (b *Balancer) relog(lb *loadBalancer) {
	for kind, place := range lb.conf.Load().logs {
		stream := &lb.logs[kind]
		if old := stream.Log(); old != nil && old.Goes(place) {
			continue
		}
		var next *accesslog.Log
		if place.Bucket != "" {
			next = accesslog.New(place)
		}
		b.retire(stream.SetLog(next))
	}
}

// retire has what is in a log written that nothing is added to any more.
func (b *Balancer) retire(old *accesslog.Log) {
	if old == nil {
		return
	}
	b.logs.mu.Lock()
	defer b.logs.mu.Unlock()
	b.logs.all = append(b.logs.all, old)
}

// writeLogs writes the logs now and then, until ctx ends.
func (b *Balancer) writeLogs(ctx context.Context) {
	ticker := time.NewTicker(logEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			b.flushLogs(ctx, now)
		}
	}
}

// flushLogs writes what there is of the logs.
func (b *Balancer) flushLogs(ctx context.Context, now time.Time) {
	b.logs.mu.Lock()
	all := b.logs.all
	b.logs.all = nil
	b.logs.mu.Unlock()
	b.mu.RLock()
	for _, lb := range b.lbs {
		for kind := range lb.logs {
			if log := lb.logs[kind].Log(); log != nil {
				all = append(all, log)
			}
		}
	}
	b.mu.RUnlock()
	for _, log := range all {
		err := log.Write(ctx, b.cfg.Logs, now)
		if lost, ok := errors.AsType[*accesslog.LostError](err); ok {
			b.log.Warn("a load balancer's log has gaps", "lost_lines", lost.Lines)
		} else if err != nil {
			b.log.Warn("write a load balancer's log", "error", err)
		}
	}
}

// Follow shows the lines of a load balancer's log from now on, also where it goes to
// no bucket. The follower must be closed. Codes: LoadBalancerNotFound,
// TooManyFollowers.
func (b *Balancer) Follow(name string, kind accesslog.Kind) (*accesslog.Follower, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, lb := range b.lbs {
		if lb.conf.Load().name != name && lb.arn != name {
			continue
		}
		f, ok := lb.logs[kind].Follow()
		if !ok {
			return nil, model.Errorf(model.Conflict, "TooManyFollowers", "Too many follow this log of load balancer '%s' already", name)
		}
		return f, nil
	}
	return nil, errNoLoadBalancer(name)
}
