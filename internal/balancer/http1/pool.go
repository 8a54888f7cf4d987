package http1

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Pool keeps connections to targets, for any number of servers.
type Pool struct {
	cfg PoolConfig

	mu      sync.Mutex
	targets map[*Target]struct{}
}

// NewPool creates an empty pool.
func NewPool(cfg PoolConfig) *Pool {
	if cfg.Dial == nil {
		cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	if cfg.DialTimeout == 0 {
		cfg.DialTimeout = 10 * time.Second
	}
	if cfg.MaxIdle == 0 {
		cfg.MaxIdle = 1024
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = 60 * time.Second
	}
	return &Pool{cfg: cfg, targets: map[*Target]struct{}{}}
}

// Run closes kept connections that have been idle too long or that their target
// has closed, until ctx ends; then it closes all kept ones. Targets can be used
// before and without Run.
func (p *Pool) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			for _, t := range p.all() {
				t.CloseIdle()
			}
			return nil
		case now := <-tick.C:
			for _, t := range p.all() {
				t.prune(now)
			}
		}
	}
}

func (p *Pool) all() []*Target {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]*Target, 0, len(p.targets))
	for t := range p.targets {
		list = append(list, t)
	}
	return list
}

// Dial opens a connection to an address. It must obey ctx.
type Dial func(ctx context.Context, addr string) (net.Conn, error)

// Target creates a target at addr with no connections yet; nil dial is the pool's.
// Two calls make two targets. The caller keeps it and calls Close when it is no
// longer used.
func (p *Pool) Target(addr netip.AddrPort, dial Dial) *Target {
	if dial == nil {
		dial = p.cfg.Dial
	}
	t := &Target{pool: p, addr: addr, dialAddr: addr.String(), dialer: dial}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets[t] = struct{}{}
	return t
}

func (p *Pool) forget(t *Target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.targets, t)
}
