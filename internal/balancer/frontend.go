package balancer

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
)

// frontend serves the connections of a listener's own sockets, or of some that
// the listeners on a port share: front.Frontend.
type frontend struct {
	server    *front.Server
	proxy     *exchange.Proxy
	listeners atomic.Pointer[listenerSet]
	conns     atomic.Int64 // open now
	// public is a frontend whose clients come from outside: what the security
	// groups of a load balancer do not let in does not reach it.
	public bool
	proofs proofs // nil: none
}

// listenerSet are the listeners that a frontend serves. Immutable.
type listenerSet struct {
	all    []*listener // of the oldest load balancer first
	plain  tenants     // without TLS
	secure tenants
}

// tenants are the listeners that clients reach in one way. Immutable.
type tenants struct {
	all    []*listener          // of the oldest load balancer first
	byHost map[string]*listener // by hostName
	lone   *listener            // the only one; nil where there are several, or none
	nobody *exchange.Answer     // to a request with none of the names
}

func (b *Balancer) newFrontend(public bool) *frontend {
	f := &frontend{public: public}
	f.listeners.Store(&listenerSet{})
	f.proxy = exchange.NewProxy(exchange.Config{Router: f, Observer: f, Log: b.log, Settings: exchange.DefaultSettings()})
	cfg := front.Config{
		Log: b.log, Limit: b.limit, Lot: b.lot, Events: f, Proxies: b.cfg.Proxies,
		Codec: func(ctx context.Context, c front.Conn) front.Session {
			f.met(c)
			of := c.Describe()
			if c.Protocol() == protocolHTTP2 {
				return b.http2.Conn(ctx, f.proxy, &of, c.Conn)
			}
			return b.http1.Conn(ctx, f.proxy, c.Conn, of)
		},
		TLS: f.meant, Speaks: f.speaks,
	}
	if public {
		cfg.Admits = f.admits
	}
	if b.cfg.Proofs != nil {
		f.proofs, cfg.Proof = b.cfg.Proofs, b.cfg.Proofs.TLSProof
	}
	f.server = front.New(cfg)
	return f
}

// Server accepts the frontend's connections: front.Frontend.
func (f *frontend) Server() *front.Server { return f.server }

// Set says which listeners the frontend serves: front.Frontend.
func (f *frontend) Set(all []*listener) {
	slices.SortFunc(all, func(a, b *listener) int {
		return cmp.Or(a.lb.conf.Load().createdAt.Compare(b.lb.conf.Load().createdAt), strings.Compare(a.lb.arn, b.lb.arn))
	})
	next := &listenerSet{all: all}
	for _, l := range all {
		switch {
		case !l.https.Load():
			next.plain.all = append(next.plain.all, l)
		case l.secure.Load() != nil:
			next.secure.all = append(next.secure.all, l)
		}
	}
	next.plain.index(f.public)
	next.secure.index(f.public)
	f.listeners.Store(next)
	f.settle(all)
}

// index makes the rest of what tenants are, of all.
func (t *tenants) index(public bool) {
	t.byHost = map[string]*listener{}
	for _, l := range slices.Backward(t.all) { // of a name that two have, the older keeps it
		for _, name := range l.lb.conf.Load().names {
			t.byHost[name] = l
		}
	}
	switch len(t.all) {
	case 0:
	case 1:
		t.lone = t.all[0]
	default:
		t.nobody = nobody(t.all, public)
	}
}

// Settle puts changed settings of listeners in force: front.Frontend.
func (f *frontend) Settle() { f.Set(slices.Clone(f.listeners.Load().all)) }

// settle puts in force what must hold before a request's head tells which
// listener it is for: where several share the sockets, their shortest time-outs.
func (f *frontend) settle(all []*listener) {
	if len(all) == 0 {
		return
	}
	s := *all[0].settings.Load()
	for _, l := range all[1:] {
		other := l.settings.Load()
		s.IdleTimeout = min(s.IdleTimeout, other.IdleTimeout)
		s.ClientKeepAlive = min(s.ClientKeepAlive, other.ClientKeepAlive)
	}
	f.proxy.SetSettings(s)
}

// oldest is what counts where it does not show which listener is meant; nil when
// none is left.
func (t *tenants) oldest() *listener {
	if len(t.all) == 0 {
		return nil
	}
	return t.all[0]
}

func (s *listenerSet) oldest() *listener {
	if len(s.all) == 0 {
		return nil
	}
	return s.all[0]
}

// pick returns the listener that a Host header means: the only one, whatever
// the header says, or the one of that name; nil where there is none.
func (t *tenants) pick(host string) *listener {
	if t.lone != nil {
		return t.lone
	}
	return t.byHost[withoutPort(host)]
}

// withoutPort is a Host header as byHost has it.
func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	return front.HostName(host)
}

// nobody is the answer to a request on a shared port that names none of the load
// balancers there (RFC 9110 15.5.20). Whoever asks from outside is not told the
// names.
func nobody(all []*listener, public bool) *exchange.Answer {
	var text strings.Builder
	text.WriteString("Several load balancers listen on this port, and none has the name in the Host header.\n")
	if !public {
		text.WriteString("Ask for one of:\n")
		for _, l := range all {
			text.WriteString("  " + l.lb.conf.Load().names[0] + "\n")
		}
	}
	return &exchange.Answer{Status: 421, ContentType: "text/plain; charset=utf-8", Body: text.String(), Reason: "UnknownHost"}
}

var _ front.Frontend[*listener] = (*frontend)(nil)

// newFront makes what opens the sockets of listeners.
func (b *Balancer) newFront(log *slog.Logger) *front.Front[*listener] {
	public := b.cfg.Public
	if public == nil {
		public = func() ([]netip.Addr, error) { return nil, nil }
	}
	return front.NewFront(front.FrontConfig[*listener]{
		Log: log, Public: public,
		Frontend: func(public bool) front.Frontend[*listener] { return b.newFrontend(public) },
		Facing: func(l *listener, addresses []netip.Addr) {
			if len(addresses) > 0 && l.lb.ingress.Load().Closed(l.port) {
				log.Warn("security groups let no client from outside in", "load_balancer", l.lb.arn, "port", l.port, "security_groups", l.lb.conf.Load().groups)
			}
		},
		Serve:  func(s *front.Server, socket net.Listener) { b.serve(s, socket) },
		Listen: b.cfg.Listen,
	})
}
