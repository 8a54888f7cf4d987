// Package connect is ECS Service Connect: tasks of a namespace reach each
// other's services by alias and port, through the balancer's data plane.
//
// On AWS a proxy beside each task does that; here the server does it for all.
// Each alias has an address of the link-local network, which stays the same as
// long as somebody offers the alias: tasks find it under the name, and the engine
// leads what they send there to a socket of ours. Who connects is known by the
// address it connects from: a task of another namespace is not answered.
//
// Requests go round robin to the tasks that offer the endpoint. One that cannot
// be reached is passed over for another, and after five failures in a row gets
// no requests for 30 s. The security groups of the client's task and of the
// target's must allow the connection, as if they made it themselves: whom they
// keep apart is not connected.
//
// The package owns the aliases' addresses in the store, its sockets, and one
// goroutine for each socket and connection. Everything else of a task it is told:
// which services there are, which of their tasks answer, who is at an address. It
// is safe for concurrent use. A request over HTTP takes one lock, for reading.
package connect

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/balancer/http1"
	"neargate/internal/balancer/latency"
	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/store"
)

// Ways is how tasks reach sockets of the server.
type Ways interface {
	// Listen opens a socket that tasks can be led to, for an alias.
	Listen(ctx context.Context, alias string) (net.Listener, error)
	// Lead leads what tasks send to the addresses to the ports of such sockets,
	// and nothing else from the call before.
	Lead(to map[netip.AddrPort]uint16) error
}

// Peers knows tasks by their addresses.
type Peers interface {
	// TaskAt returns the task that has the address now.
	TaskAt(address netip.Addr) (model.Task, bool)
}

// Config is what Service Connect can be told.
type Config struct {
	Ways  Ways  // nil: no task reaches an endpoint
	Peers Peers // required with Ways
	// MaxConns is how many connections tasks may have to all endpoints together,
	// and a quarter of it one task; more are reset. 0 is no limit.
	MaxConns int
	// OnTargetChange is called when a target of an endpoint has left it, from a
	// goroutine of its own and with no lock held. May be nil.
	OnTargetChange func(endpoint string)
	// Grace is how long requests under way may go on when Run's context ends.
	Grace time.Duration
}

// Connect is the Service Connect of one server. Make it with New.
type Connect struct {
	cfg   Config
	log   *slog.Logger
	table *store.Table[address]
	codec *http1.Codec
	pool  *exchange.Pool
	scale *latency.Scale
	room  *room

	policy atomic.Pointer[firewall.Policy]
	pass   atomic.Pointer[front.Pass]
	ready  chan struct{} // closed when the endpoints are open that can be

	// control serialises what changes which endpoints there are; it is held
	// across writes to disk.
	control sync.Mutex
	running bool // sockets can be served; guarded by control
	serve   func(func(ctx context.Context))
	offered []offer         // guarded by control
	doors   map[where]*door // guarded by control
	behind  bool            // something of it could not be done; guarded by control

	mu        sync.Mutex           // taken before an endpoint's
	endpoints map[string]*endpoint // by ARN; guarded by mu

	leftMu sync.Mutex      // taken last
	left   map[string]bool // endpoints that a target has left, to be told; guarded by leftMu
	wake   chan struct{}   // size 1
}

// address is the record of an alias. Its key is its namespace's ARN, a blank and
// its name.
type address struct {
	Key     string
	Address netip.Addr
}

// New creates Service Connect over the state in db. It opens nothing.
func New(db *store.DB, cfg Config, log *slog.Logger) (*Connect, error) {
	table, err := store.NewTable[address](db, "connect-addresses")
	if err != nil {
		return nil, fmt.Errorf("open Service Connect: %w", err)
	}
	if cfg.OnTargetChange == nil {
		cfg.OnTargetChange = func(string) {}
	}
	codec := http1.New(http1.Config{})
	c := &Connect{
		cfg: cfg, log: log, table: table, codec: codec, scale: latency.NewScale(), room: newRoom(cfg.MaxConns),
		pool:  exchange.NewPool(exchange.PoolConfig{DialTimeout: dialTimeout, Upstreams: exchange.Upstreams{exchange.HTTP1: codec}}),
		doors: map[where]*door{}, endpoints: map[string]*endpoint{}, left: map[string]bool{}, wake: make(chan struct{}, 1), ready: make(chan struct{}),
	}
	c.policy.Store(&firewall.Policy{})
	return c, nil
}

// Service Connect waits 15 s for a connection, tries included.
const dialTimeout = 5 * time.Second

// Ready is closed when Run has opened the endpoints that there are.
func (c *Connect) Ready() <-chan struct{} { return c.ready }

// Pass has Run go on serving when its context ends, with what there is then.
func (c *Connect) Pass(p *front.Pass) { c.pass.Store(p) }

// SetPolicy puts security groups in force, for requests to come.
func (c *Connect) SetPolicy(p firewall.Policy) { c.policy.Store(&p) }

// Run serves until ctx ends. Requests under way then get Config.Grace to finish;
// Run returns when every goroutine has ended. It runs once.
func (c *Connect) Run(ctx context.Context) error {
	hard, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	var work sync.WaitGroup
	work.Go(func() { _ = c.pool.Run(hard) }) // gives hard's cause
	c.control.Lock()
	c.running = true
	c.serve = func(f func(context.Context)) { work.Go(func() { f(hard) }) }
	err := c.applyLocked(ctx)
	c.control.Unlock()
	close(c.ready)
	if err != nil {
		c.log.Error("open endpoints", "error", err)
	}
	c.tend(ctx)
	end, grace := (*door).drain, c.cfg.Grace
	if p := c.pass.Load(); p != nil {
		p.Settle()
		defer context.AfterFunc(p.Context(), func() { cut(context.Cause(ctx)) })() //nolint:contextcheck // it outlives ctx
		if p.Wait() {
			end, grace = (*door).retire, noTimeout
		}
	}
	c.control.Lock()
	c.running = false
	for _, d := range c.doors {
		end(d)
	}
	c.control.Unlock()
	last := time.AfterFunc(grace, func() { cut(context.Cause(ctx)) })
	defer last.Stop()
	c.awaitDoors(hard)
	cut(context.Cause(ctx))
	work.Wait()
	return context.Cause(ctx)
}

// awaitDoors waits until the doors have served their last request, or ctx ends.
func (c *Connect) awaitDoors(ctx context.Context) {
	for _, d := range c.doors {
		select {
		case <-d.done:
		case <-ctx.Done():
		}
	}
}

// tend passes on which endpoints' targets have left, ends what drains for too
// long, and opens what could not be opened, until ctx ends.
func (c *Connect) tend(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
			for arn := range c.takeLeft() {
				c.cfg.OnTargetChange(arn)
			}
		case now := <-tick.C:
			for _, e := range c.all() {
				e.expire(now)
			}
			c.retry(ctx)
		}
	}
}

// targetLeft notes that a target has left an endpoint. It never blocks.
func (c *Connect) targetLeft(arn string) {
	c.leftMu.Lock()
	c.left[arn] = true
	c.leftMu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Connect) takeLeft() map[string]bool {
	c.leftMu.Lock()
	defer c.leftMu.Unlock()
	left := c.left
	c.left = map[string]bool{}
	return left
}

func (c *Connect) all() []*endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.endpoints))
}
