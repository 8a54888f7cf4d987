package balancer

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/routing"
)

// Route decides what becomes of a request: exchange.Router.
func (f *frontend) Route(r *exchange.Request) exchange.Verdict {
	l, other := f.listener(r)
	if l == nil {
		return exchange.Verdict{Answer: other}
	}
	if f.public && !l.admits(r.Client().Addr()) {
		r.Note = l
		return exchange.Verdict{Drop: true}
	}
	rs := l.routes.Load()
	to := &rs.rules[rs.match(r)]
	v := exchange.Verdict{Settings: l.settings.Load(), Edits: l.editsFor(r)}
	r.Note = to
	if to.looked > 0 {
		to.lb.traffic.evaluations.Add(uint64(to.looked)) //nolint:gosec // a count of rules
	}
	if to.gate != nil {
		to.admit(r, l, &v, to.gate.tokens.Check(r))
		return v
	}
	to.act(r, l, &v)
	return v
}

// act is what the rule does with a request that may pass.
func (to *route) act(r *exchange.Request, l *listener, v *exchange.Verdict) {
	switch {
	case to.fixed != nil:
		v.Answer = to.fixed
	case to.redirect != nil:
		v.Answer = to.moved(r, l)
	default:
		to.lead(r, v)
	}
}

// lead has a request forwarded; where all weights are 0 it gets 503.
func (to *route) lead(r *exchange.Request, v *exchange.Verdict) {
	picked := to.choose(r)
	if picked == nil {
		return
	}
	if !picked.group.conf.Load().takes(r) {
		v.Answer = incompatible()
		return
	}
	if to.rewrite != nil {
		var err error
		if v.Rewrite, err = rewritten(to.rewrite, r); err != nil {
			v.Answer = &exchange.Answer{Status: http.StatusInternalServerError, Reason: transformFailed}
			return
		}
	}
	r.Note, v.Group = picked, picked
}

// match returns the index of the rule for a request.
func (rs *routes) match(r *exchange.Request) int {
	last := len(rs.rules) - 1
	if last == 0 {
		return 0 // the default rule only
	}
	req := routing.Request{
		Method: r.Method, Host: r.Host, Path: r.Path, Query: r.Query,
		Source: r.Client().Addr().As16(), Header: (*fields)(r),
	}
	if i := rs.table.Match(&req); i >= 0 {
		return i
	}
	return last
}

// fields is a request's header as routing asks for it.
type fields exchange.Request

// Each implements routing.Header.
func (f *fields) Each(name string, fn func(string) bool) {
	(*exchange.Request)(f).Headers(func(n, v string) bool {
		return !strings.EqualFold(n, name) || fn(v)
	})
}

// choose returns the target group that takes a request; nil for none.
func (to *route) choose(r *exchange.Request) *weightedGroup {
	if to.sticky > 0 {
		return to.stay(r)
	}
	return to.pick()
}

func (to *route) pick() *weightedGroup {
	switch len(to.groups) {
	case 0:
		return nil
	case 1:
		return to.groups[0]
	}
	i := routing.Weighted(to.groups, (*weightedGroup).share, rand.Uint64())
	if i < 0 {
		return nil
	}
	return to.groups[i]
}

func (w *weightedGroup) share() int { return w.weight }

// moved is the answer of a redirect.
func (to *route) moved(r *exchange.Request, l *listener) *exchange.Answer {
	host := r.Host
	if host == "" { // of a client that speaks HTTP/1.0
		host = to.lb.conf.Load().names[0]
	}
	return &exchange.Answer{
		Status: to.redirect.StatusCode,
		Location: routing.Location(*to.redirect, routing.Origin{
			Protocol: l.protocol(), Host: host, Port: strconv.Itoa(l.port), Path: r.Path, Query: r.Query,
		}),
	}
}

// Claim assigns a target of the group, after a wait if all are at their
// limit: exchange.Group. A wait as long as the idle timeout ends with 504, as a
// target that does not answer would.
func (w *weightedGroup) Claim(r *exchange.Request) (exchange.Lease, error) {
	if stick := w.group.conf.Load().stick; stick != nil {
		return w.claimBound(r, stick)
	}
	t, err := w.claim(r)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (w *weightedGroup) claim(r *exchange.Request) (*target, error) {
	g := w.group
	if r.Attempt() == 0 {
		g.traffic.arrivals.Add(1)
	}
	set := &w.lb.conf.Load().settings
	if !set.Strict && g.serving.Load().unready && g.awaits() {
		return w.stand(r, set.IdleTimeout)
	}
	if set.Strict || g.queue.length.Load() == 0 { // who comes late does not overtake
		switch t, got := g.claim(r.Failed(), set.Strict); got {
		case gotTarget:
			return t, nil
		case noneThere:
			return nil, refuse(http.StatusServiceUnavailable, "no target registered")
		case allFull:
		}
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), set.IdleTimeout, errQueued)
	defer cancel()
	t, err := g.wait(ctx, math.MaxInt)
	switch {
	case errors.Is(err, errQueued):
		return nil, refuse(http.StatusGatewayTimeout, "waited for a target for the idle timeout")
	case err != nil:
		return nil, err
	case t == nil:
		return nil, refuse(http.StatusServiceUnavailable, "no target registered")
	}
	return t, nil
}

var errQueued = errors.New("idle timeout in the queue")

func refuse(status int, reason string) error {
	return &exchange.RefusalError{Status: status, Reason: reason}
}

// Target is where a request that has claimed t goes: exchange.Lease.
func (t *target) Target() *exchange.Target { return t.upstream }

// Done ends a claim: exchange.Lease.
func (t *target) Done(r *exchange.Request, o *exchange.Outcome) {
	t.group.traffic.outcome(o, r.Arrived)
	t.saw(o)
	t.release()
}
