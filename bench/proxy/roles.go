package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"neargate/bench/peers"
	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/balancer/http1"
)

// play is a child process: a backend or one of the Go proxies.
func play(ctx context.Context, role, addr string, backends []string) error {
	switch role { // these open their listeners themselves
	case "balancer":
		return proxyBalancer(ctx, addr, backends)
	case "backend":
		return peers.Backend(ctx, addr)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	switch role {
	case "http1":
		return proxyHTTP1(ctx, ln, backends)
	case "reverseproxy":
		return proxyReverse(ctx, ln, backends)
	}
	return fmt.Errorf("unknown role %q", role)
}

// least is the smallest router there is: the backend with the fewest requests.
type least struct{ targets []*target }

type target struct {
	t        *exchange.Target
	inFlight atomic.Int64
}

func (l *least) Route(*exchange.Request) exchange.Verdict { return exchange.Verdict{Group: l} }

func (l *least) Claim(*exchange.Request) (exchange.Lease, error) {
	best := l.targets[0]
	for _, t := range l.targets[1:] {
		if t.inFlight.Load() < best.inFlight.Load() {
			best = t
		}
	}
	best.inFlight.Add(1)
	return best, nil
}

func (t *target) Target() *exchange.Target                  { return t.t }
func (t *target) Done(*exchange.Request, *exchange.Outcome) { t.inFlight.Add(-1) }

func (l *least) Opened(netip.Addr)                             {}
func (l *least) Rejected()                                     {}
func (l *least) Refused(front.Refusal)                         {}
func (l *least) Closed(netip.Addr)                             {}
func (l *least) Finished(*exchange.Request, *exchange.Summary) {}

func proxyHTTP1(ctx context.Context, ln net.Listener, backends []string) error {
	codec := http1.New(http1.Config{})
	pool := exchange.NewPool(exchange.PoolConfig{Upstreams: exchange.Upstreams{exchange.HTTP1: codec}})
	l := &least{}
	for _, b := range backends {
		addr, err := netip.ParseAddrPort(b)
		if err != nil {
			return err
		}
		l.targets = append(l.targets, &target{t: pool.Target(exchange.TargetSpec{Addr: addr})})
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = pool.Run(ctx) })
	defer wg.Wait()
	quiet := slog.New(slog.DiscardHandler)
	proxy := exchange.NewProxy(exchange.Config{Router: l, Observer: l, Log: quiet, Settings: exchange.DefaultSettings()})
	srv := front.New(front.Config{Log: quiet, Events: l, Codec: func(ctx context.Context, c front.Conn) front.Session {
		return codec.Conn(ctx, proxy, c.Conn, c.Describe())
	}})
	if err := srv.Serve(ctx, ln); !errors.Is(err, context.Cause(ctx)) {
		return err
	}
	return nil
}

// proxyReverse is net/http's proxy with a tuned transport and a buffer pool.
func proxyReverse(ctx context.Context, ln net.Listener, backends []string) error {
	var next atomic.Uint64
	urls := make([]*url.URL, len(backends))
	for i, b := range backends {
		urls[i] = &url.URL{Scheme: "http", Host: b}
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(urls[next.Add(1)%uint64(len(urls))])
			r.SetXForwarded()
			r.Out.Host = r.In.Host
			r.Out.Header.Set("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678")
		},
		Transport:  &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true, IdleConnTimeout: time.Minute},
		BufferPool: &bufferPool{sync.Pool{New: func() any { return make([]byte, 32<<10) }}},
	}
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug) // wrk breaks its last requests off
	srv := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bufferPool is a pool for ReverseProxy.
type bufferPool struct{ pool sync.Pool }

func (s *bufferPool) Get() []byte  { return s.pool.Get().([]byte) }
func (s *bufferPool) Put(b []byte) { s.pool.Put(b) } //nolint:staticcheck // the interface wants a slice
