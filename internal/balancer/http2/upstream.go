package http2

import (
	"sync"
	"time"

	"neargate/internal/balancer/exchange"
)

// UpstreamConfig is how connections to targets are kept.
type UpstreamConfig struct {
	IdleTimeout time.Duration // after which one without requests is closed; 0 is 60 s
}

// Upstream is HTTP/2 towards targets: exchange.Upstream.
type Upstream struct {
	cfg   UpstreamConfig
	pools *buffers
	tags  *tags
	tries sync.Pool // of *try
	all   sync.WaitGroup
}

// NewUpstream creates it. Nothing starts before a request.
func NewUpstream(cfg UpstreamConfig) *Upstream {
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = 60 * time.Second
	}
	u := &Upstream{cfg: cfg, pools: newBuffers(), tags: newTags()}
	u.tries.New = func() any { return newTry() }
	return u
}

// Keep implements exchange.Upstream.
func (u *Upstream) Keep(t *exchange.Target) exchange.Kept { return &kept{up: u, target: t} }

// Wait waits for the readers of connections that have been closed. None is left
// when all targets are closed and their requests have ended.
func (u *Upstream) Wait() { u.all.Wait() }
