package balancer

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// routes are the compiled rules of a listener with what they lead to. Immutable.
type routes struct {
	table *routing.Table
	rules []route // in the table's order
}

// route is what a rule leads to: target groups, a fixed answer or a redirect.
type route struct {
	lb       *loadBalancer
	groups   []*weightedGroup
	fixed    *exchange.Answer
	redirect *model.Redirect
	gate     *gate // nil: none
	rewrite  *routing.Rewrite
	sticky   time.Duration // how long clients stay at one of groups; 0: they do not
	cookies  *sealer
	priority int // of the rule; 0 is the default's
	looked   int // rules that are looked at until it is found
}

// weightedGroup is one target group of a forward action.
type weightedGroup struct {
	lb       *loadBalancer
	group    *group
	weight   int
	priority int // of the rule
	rewrites bool
	gate     *gate
}

// route compiles a listener's rules anew and puts them in force.
func (b *Balancer) route(live *listener, l model.Listener) {
	rules := append(b.storedRules(l.ARN), model.Rule{Actions: l.DefaultActions})
	out := &routes{table: routing.Compile(rules, parsePrefix)}
	for i, r := range rules {
		to := b.resolve(live.lb, r)
		to.looked = out.table.Evaluations(i)
		out.rules = append(out.rules, to)
	}
	live.routes.Store(out)
	live.edits.Store(editsOf(l))
	live.tlsNames.Store(tlsNamesOf(l))
	clients := clientNamesOf(l)
	live.clientNames.Store(&clients)
}

// reroute is route for a listener that is open already, after a change of its
// rules.
func (b *Balancer) reroute(l model.Listener) {
	b.mu.RLock()
	live := b.listeners[l.ARN]
	b.mu.RUnlock()
	b.route(live, l)
	b.associate()
}

// resolve turns actions into a route: the one that ends the rule, and the
// authentication that may stand before it.
func (b *Balancer) resolve(lb *loadBalancer, rule model.Rule) route {
	r := route{lb: lb, priority: rule.Priority, rewrite: b.rewrites(rule), cookies: b.cookies, gate: b.gateOf(rule.Actions)}
	for _, a := range rule.Actions {
		switch {
		case a.Fixed != nil:
			r.fixed = &exchange.Answer{Status: a.Fixed.StatusCode, ContentType: fixedType(a.Fixed), Body: a.Fixed.Body, Bare: true}
		case a.Redirect != nil:
			r.redirect = a.Redirect
		default:
			r.sticky = a.Sticky
			for _, w := range a.Forward {
				if g, ok := b.group(w.TargetGroupARN); ok {
					r.groups = append(r.groups, &weightedGroup{lb: lb, group: g, weight: w.Weight, priority: rule.Priority, rewrites: r.rewrite != nil, gate: r.gate})
				}
			}
		}
	}
	return r
}

// fixedType is the Content-Type of a fixed response, as seen on AWS.
func fixedType(f *model.FixedResponse) string {
	return cmp.Or(f.ContentType, "text/plain") + "; charset=utf-8"
}

func parsePrefix(cidr string) (routing.Prefix, bool) {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return routing.Prefix{}, false
	}
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96 // As16 maps it listenerSet 96 bits
	}
	return routing.Prefix{Addr: p.Addr().As16(), Bits: bits}, true
}

// associate tells every target group which load balancers use it. A group that
// comes into use has its targets probed from now on; one that falls out of use
// shows them as unused.
func (b *Balancer) associate() {
	users := map[string][]string{}
	note := func(lbARN string, actions []model.Action) {
		for _, a := range actions {
			for _, w := range a.Forward {
				if !slices.Contains(users[w.TargetGroupARN], lbARN) {
					users[w.TargetGroupARN] = append(users[w.TargetGroupARN], lbARN)
				}
			}
		}
	}
	for _, l := range b.Listeners("") {
		note(l.LoadBalancerARN, l.DefaultActions)
		for _, r := range b.storedRules(l.ARN) {
			note(l.LoadBalancerARN, r.Actions)
		}
	}
	b.mu.RLock()
	var changed []*group
	for arn, g := range b.groups {
		if g.use(users[arn]) {
			changed = append(changed, g)
		}
	}
	b.mu.RUnlock()
	b.unnamed()
	for _, g := range changed {
		g.dispatch()
		b.changes.add(g.arn)
	}
}
