package exchange

import (
	"context"
	"net"
	"sync"
	"time"
)

// PoolConfig is how targets are reached.
type PoolConfig struct {
	// Dial opens a connection to targets that do not say how; nil is TCP.
	Dial        Dial
	DialTimeout time.Duration // 0 is AWS's 10 s
	Upstreams   Upstreams
	MaxConns    int // to all targets together, dials under way too; 0 is no limit
}

// Upstreams are the codecs that speak with targets.
type Upstreams map[Protocol]Upstream

// Pool makes targets and looks after their connections, for any number of load
// balancers.
type Pool struct {
	cfg  PoolConfig
	room room

	mu      sync.Mutex
	targets map[*Target]struct{} // guarded by mu
}

// NewPool creates a pool without targets.
func NewPool(cfg PoolConfig) *Pool {
	if cfg.Dial == nil {
		cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	if cfg.DialTimeout == 0 {
		cfg.DialTimeout = 10 * time.Second
	}
	return &Pool{cfg: cfg, room: room{most: int64(cfg.MaxConns)}, targets: map[*Target]struct{}{}}
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
				t.kept.Prune(now)
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

// Target creates a target with no connections yet. Two calls make two targets. The
// caller keeps it and calls Close when it is no longer used.
func (p *Pool) Target(cfg TargetSpec) *Target {
	if cfg.Dial == nil {
		cfg.Dial = p.cfg.Dial
	}
	t := &Target{cfg: cfg, addr: cfg.Addr.String(), pool: p}
	t.kept = p.cfg.Upstreams[cfg.Protocol].Keep(t)
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
