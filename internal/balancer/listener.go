package balancer

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/model"
)

// listener is a live listener.
type listener struct {
	arn         string
	lb          *loadBalancer
	port        int
	routes      atomic.Pointer[routes]
	edits       atomic.Pointer[exchange.Edits] // nil: none
	tlsNames    atomic.Pointer[tlsNames]
	clientNames atomic.Pointer[clientNames]
	settings    atomic.Pointer[exchange.Settings]
	https       atomic.Bool
	secure      atomic.Pointer[front.TLS] // nil: nobody can speak TLS to it
}

// Listeners returns the listeners of a load balancer by port, or, with lbARN "",
// all of them.
func (b *Balancer) Listeners(lbARN string) []model.Listener {
	all := b.tables.listeners.List("")
	if lbARN != "" {
		all = slices.DeleteFunc(all, func(l model.Listener) bool { return l.LoadBalancerARN != lbARN })
	}
	slices.SortStableFunc(all, func(a, b model.Listener) int {
		return cmp.Or(strings.Compare(a.LoadBalancerARN, b.LoadBalancerARN), a.Port-b.Port)
	})
	return all
}

// Listener returns the listener with the ARN.
func (b *Balancer) Listener(arn string) (model.Listener, bool) { return b.tables.listeners.Get(arn) }

// CreateListener opens a listener and returns it with its ARN set. Codes:
// LoadBalancerNotFound, DuplicateListener, TargetGroupNotFound,
// TargetGroupAssociationLimit, and InvalidConfigurationRequest when the port
// cannot be had on this machine.
func (b *Balancer) CreateListener(ctx context.Context, l model.Listener) (model.Listener, error) {
	if err := b.up(ctx); err != nil {
		return l, err
	}
	b.control.Lock()
	defer b.control.Unlock()
	lb, ok := b.tables.lbs.Get(l.LoadBalancerARN)
	if !ok {
		return l, errNoLoadBalancer(l.LoadBalancerARN)
	}
	if err := b.checkListener(l); err != nil {
		return l, err
	}
	l.ARN = b.cfg.Place.ListenerARN(lb.Name, lb.ID, newID())
	live := b.makeListener(l)
	if err := b.front.Open(ctx, live); err != nil {
		return l, err
	}
	if err := b.tables.listeners.Put(ctx, l.ARN, l); err != nil {
		b.front.Close(live)
		return l, err
	}
	b.addListener(live)
	b.rotate(ctx, time.Now())
	return l, nil
}

// makeListener creates a live listener of a record, with its routes.
func (b *Balancer) makeListener(l model.Listener) *listener {
	b.mu.RLock()
	lb := b.lbs[l.LoadBalancerARN]
	b.mu.RUnlock()
	live := &listener{arn: l.ARN, lb: lb, port: l.Port}
	b.secure(live, l)
	b.route(live, l)
	return live
}

func (b *Balancer) addListener(live *listener) {
	b.mu.Lock()
	b.listeners[live.arn] = live
	b.mu.Unlock()
	b.openDoors(live.lb.arn)
	b.associate()
}

// checkListener returns what stands against a new or changed listener.
func (b *Balancer) checkListener(l model.Listener) error {
	for _, other := range b.Listeners(l.LoadBalancerARN) {
		if other.Port == l.Port && other.ARN != l.ARN {
			return model.Errorf(model.Conflict, "DuplicateListener", "A listener already exists on this port for this load balancer '%s'", l.LoadBalancerARN)
		}
	}
	if err := b.checkSecure(l); err != nil {
		return err
	}
	return b.checkActions(l, l.DefaultActions)
}

// checkActions returns what stands against actions of a listener or rule of the
// load balancer: every target group must exist, be of its VPC and belong to no
// other one.
func (b *Balancer) checkActions(l model.Listener, actions []model.Action) error {
	lb, _ := b.tables.lbs.Get(l.LoadBalancerARN)
	for _, a := range actions {
		for _, w := range a.Forward {
			if err := b.checkForward(lb, l, w.TargetGroupARN); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Balancer) checkForward(lb model.LoadBalancer, l model.Listener, arn string) error {
	tg, ok := b.tables.groups.Get(arn)
	switch {
	case !ok:
		return model.Errorf(model.NotFound, "TargetGroupNotFound", "Target groups '%s' not found", arn)
	case tg.VpcID != lb.VpcID:
		return model.Errorf(model.Invalid, "InvalidConfigurationRequest", "Target group '%s' is in a different VPC than load balancer '%s'", arn, lb.ARN)
	case l.Protocol != "HTTPS" && protocolOf(tg) != exchange.HTTP1:
		return model.Errorf(model.Conflict, "InvalidConfigurationRequest",
			"Listener protocol '%s' is not supported with a target group with the protocol-version '%s'", l.Protocol, tg.ProtocolVersion)
	}
	for _, used := range b.TargetGroupLoadBalancers(arn) {
		if used != lb.ARN {
			return model.Errorf(model.Conflict, "TargetGroupAssociationLimit",
				"The following target groups cannot be associated with more than one load balancer: %s", arn)
		}
	}
	return nil
}

// UpdateListener lets change make a new record of a listener and puts it in
// force. A new port is opened before the old one is closed. Codes:
// ListenerNotFound and those of CreateListener; an error of change is returned
// as it is.
func (b *Balancer) UpdateListener(ctx context.Context, arn string, change func(*model.Listener) error) (model.Listener, error) {
	if err := b.up(ctx); err != nil {
		return model.Listener{}, err
	}
	b.control.Lock()
	defer b.control.Unlock()
	old, ok := b.tables.listeners.Get(arn)
	if !ok {
		return old, errNoListener()
	}
	l := old
	if err := change(&l); err != nil {
		return old, err
	}
	if err := b.checkListener(l); err != nil {
		return old, err
	}
	b.mu.RLock()
	live := b.listeners[arn]
	b.mu.RUnlock()
	if l.Port == old.Port {
		if err := b.tables.listeners.Put(ctx, arn, l); err != nil {
			return old, err
		}
		b.route(live, l)
		b.resecure(l)
		b.associate()
		b.rotate(ctx, time.Now())
		return l, nil
	}
	return l, b.moveListener(ctx, live, l)
}

// moveListener returns a listener another port.
func (b *Balancer) moveListener(ctx context.Context, live *listener, l model.Listener) error {
	moved := b.makeListener(l)
	if err := b.front.Open(ctx, moved); err != nil {
		return err
	}
	if err := b.tables.listeners.Put(ctx, l.ARN, l); err != nil {
		b.front.Close(moved)
		return err
	}
	b.front.Close(live)
	b.addListener(moved)
	return nil
}

// DeleteListener closes and deletes a listener with its rules; requests under
// way finish. Codes: ListenerNotFound.
func (b *Balancer) DeleteListener(ctx context.Context, arn string) error {
	if err := b.up(ctx); err != nil {
		return err
	}
	b.control.Lock()
	defer b.control.Unlock()
	l, ok := b.tables.listeners.Get(arn)
	if !ok {
		return errNoListener()
	}
	return b.deleteListener(ctx, l)
}

// deleteListener wants b.control held. Rules go first: one without a listener
// must not be left.
func (b *Balancer) deleteListener(ctx context.Context, l model.Listener) error {
	var failed error
	for _, r := range b.storedRules(l.ARN) {
		_, err := b.tables.rules.Delete(ctx, r.ARN)
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return failed
	}
	if _, err := b.tables.listeners.Delete(ctx, l.ARN); err != nil {
		return err
	}
	b.mu.Lock()
	live := b.listeners[l.ARN]
	delete(b.listeners, l.ARN)
	b.mu.Unlock()
	b.front.Close(live)
	b.openDoors(live.lb.arn)
	b.associate()
	return nil
}

// defaultRule is a listener's default rule. Its ARN follows from the
// listener's: it has no record of its own.
func (b *Balancer) defaultRule(l model.Listener) model.Rule {
	h := fnv.New64a()
	_, _ = h.Write([]byte(l.ARN)) // never fails
	parts := strings.Split(l.ARN, "/")
	id := strconv.FormatUint(h.Sum64()|1<<63, 16)
	return model.Rule{
		ARN:         b.cfg.Place.RuleARN(parts[2], parts[3], parts[4], id),
		ListenerARN: l.ARN, Actions: l.DefaultActions,
	}
}

// of matches the listeners of a load balancer.
func of(lbARN string) func(*listener) bool {
	return func(l *listener) bool { return l.lb.arn == lbARN }
}

// protocol is how clients speak to the listener, as X-Forwarded-Proto has it.
func (l *listener) protocol() string {
	if l.https.Load() {
		return "https"
	}
	return "http"
}
