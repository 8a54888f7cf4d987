package balancer

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/balancer/latency"
	"neargate/internal/model"
)

// groupTraffic counts what happens at one target group.
type groupTraffic struct {
	arrivals, completed, connErrors atomic.Uint64
	requests, failOpen              atomic.Uint64
	status                          [6]atomic.Uint64
	response                        latency.Histogram
	latency                         latency.Histogram // response times and what came before
	spared                          spared
	refused                         told // requests that got 503
}

// outcome counts how one try at a target ended; arrived is when the request
// came.
func (g *groupTraffic) outcome(o *exchange.Outcome, arrived time.Time) {
	switch o.Failure {
	case exchange.ConnectRefused, exchange.ConnectTimeout, exchange.Broken:
		g.connErrors.Add(1)
	default: // answered, or not the connection's fault
	}
	if o.Status == 0 {
		return
	}
	g.completed.Add(1)
	g.status[class(o.Status)].Add(1)
	g.response.Observe(o.ResponseTime)
	g.latency.Observe(o.Sent.Sub(arrived) + o.ResponseTime)
}

// saw counts for the detection of anomalies how one try ended.
func (t *target) saw(o *exchange.Outcome) {
	switch o.Failure {
	case exchange.ConnectRefused, exchange.ConnectTimeout, exchange.Broken, exchange.BadAnswer, exchange.Timeout:
		t.failures.Add(1)
	default:
		if o.Status == 0 { // the client's doing
			return
		}
		if o.Status >= 500 {
			t.failures.Add(1)
		}
	}
	t.requests.Add(1)
}

func class(status int) int { return min(max(status/100, 0), 5) }

// lbTraffic counts what happens at one load balancer.
type lbTraffic struct {
	requests, fixed, redirects     atomic.Uint64
	nonSticky, evaluations         atomic.Uint64
	nonCompliant, droppedInvalid   atomic.Uint64
	newConns, rejected, bytes      atomic.Uint64
	handshakes                     atomic.Uint64 // in TLS, that failed
	elb                            [6]atomic.Uint64
	elb500, elb502, elb503, elb504 atomic.Uint64
}

// Opened counts a client connection: front.Events. On a frontend that several
// load balancers share, connections count for the oldest: which one a
// connection is for shows only in its requests.
func (f *frontend) Opened(netip.Addr) {
	if l := f.listeners.Load().oldest(); l != nil {
		l.lb.traffic.newConns.Add(1)
	}
	f.conns.Add(1)
}

// Rejected counts a connection closed at once: front.Events.
func (f *frontend) Rejected() {
	if l := f.listeners.Load().oldest(); l != nil {
		l.lb.traffic.rejected.Add(1)
	}
}

// Closed ends what Opened began: front.Events.
func (f *frontend) Closed(netip.Addr) { f.conns.Add(-1) }

// Finished counts a request: exchange.Observer. Only requests for which a target
// could be chosen are in RequestCount, as on AWS.
func (f *frontend) Finished(r *exchange.Request, s *exchange.Summary) {
	lb := f.countedAt(r.Note)
	if lb == nil {
		return
	}
	c := &lb.traffic
	c.bytes.Add(uint64(s.Received + s.SentBytes))
	if s.Tries > 0 {
		c.requests.Add(1)
		if to, ok := r.Note.(*weightedGroup); ok {
			to.group.traffic.requests.Add(1)
		}
	}
	if s.Class != exchange.Compliant {
		c.nonCompliant.Add(1)
	}
	if s.DroppedBad > 0 {
		c.droppedInvalid.Add(1)
	}
	if to, ok := r.Note.(*route); ok && s.Own {
		switch {
		case to.fixed != nil:
			c.fixed.Add(1)
		case to.redirect != nil:
			c.redirects.Add(1)
		}
	}
	if s.Own || s.Status == 460 {
		c.own(s.Status)
	}
	if to, ok := r.Note.(*weightedGroup); ok {
		to.tell(f.proxy.Log, s)
	}
	if log := &lb.logs[accesslog.Access]; log.Wanted() {
		f.note(log, lb.conf.Load(), r, s)
	}
}

// countedAt returns the load balancer that a request counts for; one that was
// too malformed to be routed counts for the oldest listener of the frontend.
func (f *frontend) countedAt(note any) *loadBalancer {
	switch n := note.(type) {
	case *weightedGroup:
		return n.lb
	case *route:
		return n.lb
	case *stopped:
		return n.at.lb
	case *listener: // that the client may not reach
		return n.lb
	}
	if l := f.listeners.Load().oldest(); l != nil {
		return l.lb
	}
	return nil
}

func (c *lbTraffic) own(status int) {
	c.elb[class(status)].Add(1)
	switch status {
	case 500:
		c.elb500.Add(1)
	case 502:
		c.elb502.Add(1)
	case 503:
		c.elb503.Add(1)
	case 504:
		c.elb504.Add(1)
	}
}

// Traffic returns what happened at each target group since the server started,
// by ARN.
func (b *Balancer) Traffic() []model.TargetGroupTraffic {
	b.mu.RLock()
	groups := make([]*group, 0, len(b.groups))
	for _, g := range b.groups {
		groups = append(groups, g)
	}
	b.mu.RUnlock()
	slices.SortFunc(groups, func(a, b *group) int { return strings.Compare(a.arn, b.arn) })
	out := make([]model.TargetGroupTraffic, len(groups))
	for i, g := range groups {
		out[i] = g.read(b.hist)
	}
	return out
}

func (g *group) read(s *latency.Scale) model.TargetGroupTraffic {
	t := &g.traffic
	out := model.TargetGroupTraffic{
		TargetGroupARN: g.arn,
		// Completed first: it must not show more than the arrivals do.
		Completed: t.completed.Load(), ConnErrors: t.connErrors.Load(), ResponseTime: t.response.Read(s), Latency: t.latency.Read(s),
		Requests: t.requests.Load(), FailOpen: t.failOpen.Load(), Queued: int(g.queue.length.Load()),
	}
	for i := range t.status {
		out.Status[i] = t.status[i].Load()
	}
	out.Arrivals, out.Spared = t.arrivals.Load(), t.spared.read()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.usedBy) > 0 {
		out.LoadBalancerARN = g.usedBy[0]
	}
	g.countLocked(&out)
	return out
}

// LoadBalancerTraffic returns what happened at each load balancer since the
// server started, by ARN.
func (b *Balancer) LoadBalancerTraffic() []model.LoadBalancerTraffic {
	active := map[*loadBalancer]int{}
	b.front.Each(func(served front.Frontend[*listener]) {
		f := served.(*frontend)
		active[f.listeners.Load().oldest().lb] += int(f.conns.Load())
	})
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]model.LoadBalancerTraffic, 0, len(b.lbs))
	for _, lb := range b.lbs {
		t := lb.traffic.read(lb.arn)
		t.ActiveConns = active[lb]
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b model.LoadBalancerTraffic) int {
		return cmp.Compare(a.LoadBalancerARN, b.LoadBalancerARN)
	})
	return out
}

func (c *lbTraffic) read(arn string) model.LoadBalancerTraffic {
	t := model.LoadBalancerTraffic{
		LoadBalancerARN: arn,
		Requests:        c.requests.Load(),
		ELB500:          c.elb500.Load(), ELB502: c.elb502.Load(), ELB503: c.elb503.Load(), ELB504: c.elb504.Load(),
		NewConns: c.newConns.Load(), RejectedConns: c.rejected.Load(), TLSErrors: c.handshakes.Load(), ProcessedBytes: c.bytes.Load(),
		FixedResponses: c.fixed.Load(), Redirects: c.redirects.Load(), NonSticky: c.nonSticky.Load(),
		Evaluations: c.evaluations.Load(), NonCompliant: c.nonCompliant.Load(), DroppedInvalid: c.droppedInvalid.Load(),
	}
	for i := range c.elb {
		t.ELBStatus[i] = c.elb[i].Load()
	}
	return t
}
