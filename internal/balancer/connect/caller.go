package connect

import (
	"net/http"
	"net/netip"
	"slices"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/firewall"
)

// caller is a task that uses an endpoint, as it was known a moment ago.
type caller struct {
	endpoint *endpoint
	client   *client
	from     firewall.Party
	until    time.Time // is looked up again then
	policy   *firewall.Policy
	verdicts []verdict // by groups of targets
}

// verdict is whether the caller may connect to targets with the groups and port.
type verdict struct {
	groups  string
	port    int
	allowed bool
}

// memory is how long a caller is not looked up again. An address that becomes
// free is not given to another task as soon.
const memory = time.Second

// newCaller returns the caller at an address; nil for one that is no task of the
// namespace.
func (e *endpoint) newCaller(at netip.Addr, now time.Time) *caller {
	task, ok := e.c.cfg.Peers.TaskAt(at)
	o := e.offer.Load()
	if !ok || task.ConnectNamespace == "" || task.ConnectNamespace != o.namespaceARN {
		return nil
	}
	policy := e.c.policy.Load()
	c := &caller{
		endpoint: e, client: e.clientOf(clientName{task.Cluster, task.Service}), until: now.Add(memory), policy: policy,
		from: firewall.Party{Address: at, Member: true, Groups: policy.Of(task.Network.SecurityGroups)},
	}
	for _, t := range *e.serving.Load() {
		if !slices.ContainsFunc(c.verdicts, func(v verdict) bool { return v.groups == t.key && v.port == t.at.Port }) {
			c.verdicts = append(c.verdicts, verdict{t.key, t.at.Port, c.ask(t)})
		}
	}
	return c
}

// ask reports whether the groups of both tasks allow the caller to connect to the
// target.
func (c *caller) ask(t *target) bool {
	return c.policy.Allowed(firewall.Flow{
		From: c.from, To: firewall.Party{Address: t.addr.Addr(), Member: true, Groups: c.policy.Of(t.groups)},
		Protocol: firewall.TCP, Port: t.at.Port,
	})
}

func (c *caller) may(t *target) bool {
	for _, v := range c.verdicts {
		if v.groups == t.key && v.port == t.at.Port {
			return v.allowed
		}
	}
	return c.ask(t) // registered since
}

// refusal is why a caller gets no target.
type refusal int

const (
	given refusal = iota
	none
	apart // by security groups
)

// pick claims the next target in turn: one that is not ejected, if there is any,
// and not failed, if there is another.
func (c *caller) pick(failed *exchange.Target, now time.Time) (*target, refusal) {
	serving := *c.endpoint.serving.Load()
	if len(serving) == 0 {
		return nil, none
	}
	first, why := int(c.endpoint.turn.Add(1)%uint64(len(serving))), apart
	for _, want := range []func(*target) bool{
		func(t *target) bool { return t.upstream != failed && !t.out(now) },
		func(t *target) bool { return t.upstream != failed },
		func(*target) bool { return true },
	} {
		for i := range serving {
			t := serving[(first+i)%len(serving)]
			if !want(t) || !c.may(t) {
				continue
			}
			if t.claim() {
				return t, given
			}
			why = none // it left since
		}
	}
	return nil, why
}

// Claim assigns a target: exchange.Group.
func (c *caller) Claim(r *exchange.Request) (exchange.Lease, error) {
	if r.Attempt() == 0 {
		c.client.requests.Add(1)
		c.endpoint.traffic.requests.Add(1)
	}
	t, why := c.pick(r.Failed(), r.Arrived)
	switch why {
	case none:
		return nil, &exchange.RefusalError{Status: http.StatusServiceUnavailable, Reason: "NoTargets"}
	case apart:
		return nil, &exchange.RefusalError{Status: http.StatusServiceUnavailable, Reason: "SecurityGroups"}
	case given:
	}
	return t, nil
}
