package exchange

import (
	"log/slog"
	"sync/atomic"
)

// Config is what a Proxy needs. Everything but Settings is required.
type Config struct {
	Router   Router
	Observer Observer
	Log      *slog.Logger
	Settings Settings // at the start; SetSettings changes them
}

// Proxy is what the connections that are accepted for the same Router share.
// Codecs serve connections for it. It owns nothing that must be closed.
type Proxy struct {
	Config
	settings atomic.Pointer[Settings]
}

// NewProxy creates a proxy.
func NewProxy(cfg Config) *Proxy {
	p := &Proxy{Config: cfg}
	p.SetSettings(cfg.Settings)
	return p
}

// SetSettings changes the settings, for requests that arrive from now on.
func (p *Proxy) SetSettings(v Settings) { p.settings.Store(&v) }

// Current returns the settings in force where no Verdict brings others: while a
// head is awaited. Read only.
func (p *Proxy) Current() *Settings { return p.settings.Load() }
