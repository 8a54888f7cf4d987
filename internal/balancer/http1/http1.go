// Package http1 speaks HTTP/1.1 for the load balancer, with clients and with
// targets: it owns parsing, framing, chunks, buffers and kept connections. What
// becomes of a request is decided in package exchange, whose interfaces a
// [Codec] implements.
//
// One goroutine serves one client connection; in steady state a request
// allocates nothing.
package http1

import (
	"sync"
	"time"

	"neargate/internal/balancer/exchange"
)

// Limits of a request and of an answer, in bytes (load-balancer-limits).
const (
	maxRequestLine    = 16 << 10
	maxHeaderLine     = 16 << 10
	maxRequestHeaders = 64 << 10
	maxAnswerHeaders  = 32 << 10
)

// Config is how connections to targets are kept.
type Config struct {
	MaxIdle     int           // per target; 0 is 1024
	IdleTimeout time.Duration // after which one is closed; 0 is 60 s
}

// Codec speaks HTTP/1.1 with clients and targets: exchange.Upstream. It is safe
// for concurrent use, and needs no end.
type Codec struct {
	cfg   Config
	pools *buffers
	turns sync.Pool
	tries sync.Pool
}

// New creates a codec.
func New(cfg Config) *Codec {
	if cfg.MaxIdle == 0 {
		cfg.MaxIdle = 1024
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = 60 * time.Second
	}
	c := &Codec{cfg: cfg, pools: newBuffers()}
	c.turns.New = func() any { return newTurn() }
	c.tries.New = func() any {
		t := &try{codec: c, in: make([]byte, streamBuffer)}
		t.body.chunks.answer = true
		return t
	}
	return c
}

// Keep returns the connections to a target: exchange.Upstream.
func (c *Codec) Keep(t *exchange.Target) exchange.Kept { return &kept{codec: c, target: t} }
