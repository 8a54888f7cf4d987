package balancer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/balancer/exchange"
	"neargate/internal/model"
)

// sources gives load balancers addresses of their own among the targets, by which
// security groups know them there.
type sources interface {
	// Source returns the address of a load balancer, and puts its security groups
	// in force. One that has none yet gets that of its record where it is free, and
	// otherwise another.
	Source(lb model.LoadBalancer) (netip.Addr, error)
	// HasAddress reports whether an address is where such addresses are for.
	HasAddress(a netip.Addr) bool
	// SetDoors names the ports that the load balancer listens on at the address,
	// in order.
	SetDoors(arn string, ports []uint16) error
	// DropSource takes the address back.
	DropSource(arn string) error
}

// openSource gets a load balancer its address. The zero address is of one that
// needs none.
func (b *Balancer) openSource(lb model.LoadBalancer) (netip.Addr, error) {
	if b.cfg.Sources == nil {
		return netip.Addr{}, nil
	}
	return b.cfg.Sources.Source(lb)
}

// reopenSources gets the load balancers of the store the addresses that they had,
// and keeps those that have changed. Who had one comes first, so that none of
// these is given to another.
func (b *Balancer) reopenSources(ctx context.Context) {
	all := b.tables.lbs.List("")
	slices.SortStableFunc(all, func(x, y model.LoadBalancer) int { return -x.Source.Compare(y.Source) })
	for _, lb := range all {
		source, err := b.openSource(lb)
		if err != nil {
			b.log.Error("load balancer reaches no target", "load_balancer", lb.ARN, "error", err)
		} else if err := b.keepSource(ctx, lb, source); err != nil {
			b.log.Warn("the address of a load balancer among the tasks is not kept: the next start may change it", "load_balancer", lb.ARN, "error", err)
		}
		b.addLoadBalancer(lb, source)
	}
}

// keepSource notes an address in the record of its load balancer.
func (b *Balancer) keepSource(ctx context.Context, lb model.LoadBalancer, source netip.Addr) error {
	if source == lb.Source || !source.IsValid() {
		return nil
	}
	if lb.Source.IsValid() {
		b.log.Warn("a load balancer has another address among the tasks: its former one is not to be had",
			"load_balancer", lb.ARN, "was", lb.Source, "is", source)
	}
	lb.Source = source
	return b.tables.lbs.Put(ctx, lb.ARN, lb)
}

// openDoors lets tasks in wherever the load balancer listens now. What fails is
// logged: it answers everywhere else.
func (b *Balancer) openDoors(arn string) {
	if b.cfg.Sources == nil {
		return
	}
	if err := b.cfg.Sources.SetDoors(arn, b.front.Ports(of(arn))); err != nil {
		b.log.Error("tasks do not reach a load balancer", "load_balancer", arn, "error", err)
	}
}

func (b *Balancer) dropSource(arn string) {
	if b.cfg.Sources == nil {
		return
	}
	if err := b.cfg.Sources.DropSource(arn); err != nil {
		b.log.Warn("take back the address of a load balancer", "load_balancer", arn, "error", err)
	}
}

// Source returns the address that a load balancer connects to targets from; ok is
// false when it has none of its own.
func (b *Balancer) Source(arn string) (a netip.Addr, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if lb := b.lbs[arn]; lb != nil {
		a = lb.source
	}
	return a, a.IsValid()
}

var errNoSource = errors.New("the load balancer has no address in the targets' network")

// dialFor returns how to connect to targets of a group: from the address of the
// load balancer that uses it, where they are in a network that such addresses are
// for. keepAlive is as in net.Dialer.
func (b *Balancer) dialFor(g *group, keepAlive time.Duration) exchange.Dial {
	if b.cfg.Sources == nil {
		return func(ctx context.Context, to string) (net.Conn, error) {
			return (&net.Dialer{KeepAlive: keepAlive}).DialContext(ctx, "tcp", to)
		}
	}
	return func(ctx context.Context, to string) (net.Conn, error) {
		dialer := net.Dialer{KeepAlive: keepAlive}
		target, err := netip.ParseAddrPort(to)
		if err != nil {
			return nil, fmt.Errorf("target address: %w", err)
		}
		if b.cfg.Sources.HasAddress(target.Addr()) {
			from, ok := b.Source(g.user())
			if !ok {
				return nil, errNoSource
			}
			dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
			dialer.Control = latePort
		}
		return dialer.DialContext(ctx, "tcp", to)
	}
}

// latePort lets the kernel choose the port when it connects, so that there are
// as many as for each target, and not as many for all.
func latePort(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
	return errors.Join(err, failed)
}

// user returns the load balancer that uses the group; there is at most one.
func (g *group) user() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.usedBy) == 0 {
		return ""
	}
	return g.usedBy[0]
}
