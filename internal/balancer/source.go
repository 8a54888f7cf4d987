package balancer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/balancer/http1"
	"neargate/internal/model"
)

// sources gives load balancers addresses of their own in the network of the
// targets, by which security groups know them there.
type sources interface {
	// Source returns the address of the load balancer with the ARN, and puts its
	// security groups in force.
	Source(arn string, groups []string) (netip.Addr, error)
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
	return b.cfg.Sources.Source(lb.ARN, lb.SecurityGroups)
}

// openDoors lets tasks in wherever the load balancer listens now. What fails is
// logged: it answers everywhere else.
func (b *Balancer) openDoors(arn string) {
	if b.cfg.Sources == nil {
		return
	}
	if err := b.cfg.Sources.SetDoors(arn, b.front.ports(arn)); err != nil {
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
// load balancer that uses it, where they are in the network that such addresses
// are for. keepAlive is as in net.Dialer.
func (b *Balancer) dialFor(g *group, keepAlive time.Duration) http1.Dial {
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
		if b.cfg.Network.Contains(target.Addr()) {
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
