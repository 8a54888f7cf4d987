// Package balancer is the application load balancer: listeners, rules, target
// groups and their targets, forwarding, queueing, health checks, draining and
// the counters of all of these.
//
// It owns the state of load balancers in the store, the sockets of their
// listeners and one goroutine per target that probes it and sees its draining
// through. What to do with a request or a probe's result is decided in
// decide/routing and decide/health; what becomes of one
// request, in balancer/exchange; how HTTP/1.1 is spoken, in balancer/http1.
//
// A request takes no lock: it reads immutable tables through atomic pointers
// and claims its target with one compare-and-swap. Only a request that finds
// all targets at their limit takes the target group's lock, to queue.
//
// Every method is safe for concurrent use. Those that change something wait
// until Run has opened the listeners, write to disk, and then take effect.
// The balancer knows nothing of services and tasks: it serves addresses.
package balancer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/balancer/authenticate"
	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/balancer/http1"
	"neargate/internal/balancer/http2"
	"neargate/internal/balancer/latency"
	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// Config is what the balancer can be told.
type Config struct {
	Place model.Place
	// FullDrain keeps a deregistered target draining for the whole
	// deregistration delay, as AWS shows it. Without it, draining ends as
	// soon as the target has nothing in flight.
	FullDrain bool
	// MaxConns is how many client connections all listeners together take at
	// once; more are closed and counted as rejected. It is also how many connections
	// all targets together get (probes apart), and a quarter of how many requests by
	// HTTP/2 are under way. 0 is no limit.
	MaxConns int
	// Grace is how long requests under way may go on when Run's context ends;
	// 0 cuts them at once.
	Grace time.Duration
	// Roots returns whom certificates of issuers of tokens must be signed by. nil:
	// the system's.
	Roots func() (*x509.CertPool, error)
	// Proxies are whose connections begin with a PROXY header.
	Proxies front.Proxies
	// Certificates are where HTTPS listeners have theirs from. nil: there are none.
	Certificates certificates
	// TrustStores are by what listeners verify their clients. nil: there are none.
	TrustStores trustStores
	// Proofs are what load balancers show to authorities that look whether names lead
	// here. nil: nothing.
	Proofs proofs
	// Key encrypts the secrets of session tickets, which outlive a restart then.
	Key *sealed.Key
	// Sources gives load balancers their addresses among the targets; nil: they
	// need none.
	Sources sources
	// Public returns the addresses at which internet-facing load balancers answer
	// clients from outside. nil: none.
	Public func() ([]netip.Addr, error)
	// Local reports whether a client at an address of those counts as this
	// machine's own, whom security groups are not asked about. nil: none does.
	Local func(client netip.Addr) bool
	// Domain is where load balancers have their DNSName: NAME.Domain. "": below
	// localhost.
	Domain string
	// Logs takes the logs that load balancers have on. nil: none is written.
	Logs accesslog.Sink
	// Awaken is called when a request finds no target ready in a group. It reports
	// whether a task is on its way, perhaps as it has just been ordered, so that
	// the request waits for it. It must not block or call the balancer. nil:
	// none ever is.
	Awaken func(targetGroupARN string) (coming bool)
	// Listen opens sockets. nil: as net does.
	Listen front.Listen
	// Knew is what a process knew of targets in whose place this one serves. nil: none
	// did.
	Knew []KnownTarget
	// OnTargetChange is called when the state of a target of the group has
	// changed, one has come or gone, or a draining one has nothing in flight
	// any more. It is called from one goroutine, with no lock held, and may
	// call the balancer; while it runs, further changes wait. May be nil.
	OnTargetChange func(targetGroupARN string)
}

// Balancer is the load balancers of one server. Make it with New.
type Balancer struct {
	cfg     Config
	log     *slog.Logger
	tables  tables
	hist    *latency.Scale
	front   *front.Front[*listener]
	tickets *front.Tickets
	limit   *front.Limit // of client connections, of all frontends
	lot     *front.Lot   // set by Run before anything is opened
	http2   *http2.Server
	http1   *http1.Codec
	targets *http2.Upstream // towards targets of HTTP/2 and gRPC
	pool    *exchange.Pool
	changes *changes
	cookies *sealer
	users   *authenticate.Authenticator
	logs    retiredLogs

	// control serialises everything that changes load balancers, listeners,
	// rules and target groups; it is held across writes to disk.
	control sync.Mutex

	// targetLocks serialise what happens to one target of one group, by hash,
	// across writes to disk.
	targetLocks keyLocks

	mu        sync.RWMutex // guards the maps and policy, never held across I/O
	lbs       map[string]*loadBalancer
	listeners map[string]*listener
	groups    map[string]*group
	policy    firewall.Policy

	ready chan struct{} // closed when Run has opened the listeners
	// knew is what a predecessor knew of targets, by targetKey. Read until ready.
	knew map[string]KnownTarget
	// pass is set when another process takes over.
	pass atomic.Pointer[front.Pass]
	// spawn runs a goroutine that ends with Run or by its cancel. Set by Run
	// before ready.
	spawn func(func(context.Context)) (cancel func())
	// serve has a server accept what comes to a socket, until that is closed. Set by
	// Run before anything is opened.
	serve func(*front.Server, net.Listener)
}

// streamsPerConn is how many requests by HTTP/2 may be under way at once for each
// client connection there may be: some 20 kB each.
const streamsPerConn = 4

// New creates a balancer over the state in db. It reads the state and opens
// nothing.
func New(db *store.DB, log *slog.Logger, cfg Config) (*Balancer, error) {
	if cfg.MaxConns < 0 {
		return nil, fmt.Errorf("MaxConns is %d, want 0 or more", cfg.MaxConns)
	}
	if cfg.OnTargetChange == nil {
		cfg.OnTargetChange = func(string) {}
	}
	tables, err := openTables(db)
	if err != nil {
		return nil, err
	}
	if cfg.Local == nil {
		cfg.Local = func(netip.Addr) bool { return false }
	}
	b := &Balancer{
		cfg: cfg, log: log, tables: tables, hist: latency.NewScale(),
		lbs: map[string]*loadBalancer{}, listeners: map[string]*listener{}, groups: map[string]*group{},
		targetLocks: newKeyLocks(), ready: make(chan struct{}), http1: http1.New(http1.Config{}), http2: http2.NewServer(streamsPerConn * cfg.MaxConns),
	}
	if cfg.MaxConns > 0 {
		b.limit = front.NewLimit(cfg.MaxConns)
	}
	b.front = b.newFront(log)
	b.openTickets()
	b.remember(cfg.Knew)
	b.targets = http2.NewUpstream(http2.UpstreamConfig{})
	b.pool = exchange.NewPool(exchange.PoolConfig{MaxConns: cfg.MaxConns, Upstreams: exchange.Upstreams{
		exchange.HTTP1: b.http1, exchange.HTTP2: b.targets, exchange.GRPC: b.targets,
	}})
	b.changes = newChanges()
	b.cookies = &sealer{}
	b.users = b.newAuthenticator()
	return b, nil
}

// Ready is closed when the listeners are open and changes are taken.
func (b *Balancer) Ready() <-chan struct{} { return b.ready }

// Run serves until ctx ends: it brings back what the store holds, gives the
// targets a moment to pass their first probe, and opens the listeners. A
// listener whose port is taken is logged and tried again each second. When ctx
// ends the listeners close and requests under way get Config.Grace to finish;
// Run returns ctx's cause when every goroutine has ended. It runs once.
func (b *Balancer) Run(ctx context.Context) error {
	lot, err := front.OpenLot()
	if err != nil {
		return err
	}
	b.lot = lot
	defer func() { _ = lot.Close() }() // nothing was written
	// What serves requests outlives ctx by the grace.
	hard, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	var tasks, servers spawner
	var pool sync.WaitGroup
	pool.Go(func() { _ = b.pool.Run(hard) }) // gives hard's cause
	pool.Go(func() { _ = b.lot.Run(hard) })  // likewise
	b.spawn = func(f func(context.Context)) func() { return tasks.spawn(ctx, f) }
	b.spawn(func(ctx context.Context) { b.changes.run(ctx, b.cfg.OnTargetChange) })
	b.serve = func(s *front.Server, socket net.Listener) {
		servers.spawn(hard, func(ctx context.Context) {
			err := s.Serve(ctx, socket)
			if err != nil && !errors.Is(err, net.ErrClosed) && ctx.Err() == nil {
				b.log.Error("serve listener", "address", socket.Addr().String(), "error", err)
			}
		})
	}
	b.spawn(b.writeLogs)
	b.spawn(b.balance)
	b.rotate(ctx, time.Now())
	if err := b.cookies.open(hard, b.tables.keys); err != nil {
		b.log.Error("keep the key of cookies; sessions end with this server", "error", err)
	}
	b.restore(ctx)
	b.knew = nil // what comes to those addresses now are other targets
	close(b.ready)
	b.retry(ctx)
	if p := b.pass.Load(); p != nil {
		tasks.wait()
		stop := context.AfterFunc(p.Context(), func() { cut(context.Cause(ctx)) }) //nolint:contextcheck // it outlives ctx
		defer stop()
		b.goOn(hard, p)
	} else {
		b.front.Shut()
		grace := time.AfterFunc(b.cfg.Grace, func() { cut(context.Cause(ctx)) })
		defer grace.Stop()
	}
	servers.wait()
	b.http2.Wait()
	if b.pass.Load() == nil {
		b.flushLogs(hard, time.Now())
	}
	cut(context.Cause(ctx))
	pool.Wait()
	tasks.wait()
	b.targets.Wait()
	return context.Cause(ctx)
}

// retry tries each second to open what could not be opened, and keeps up with the
// public addresses, until ctx ends.
func (b *Balancer) retry(ctx context.Context) {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-again.C:
			b.reopen(ctx)
			b.rotate(ctx, now)
			b.front.Follow(ctx)
		}
	}
}

// balance moves the weights of targets each second, until ctx ends.
func (b *Balancer) balance(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			b.weigh(now)
		}
	}
}

// up waits until Run takes changes.
func (b *Balancer) up(ctx context.Context) error {
	select {
	case <-b.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
