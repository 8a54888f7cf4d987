package balancer

import (
	"cmp"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http1"
)

// frontend is one HTTP server with its sockets: a listener's own, or one that
// the listeners on a port share. What is not atomic is guarded by front.mu.
type frontend struct {
	proxy     *exchange.Proxy
	server    *http1.Server
	sockets   map[netip.Addr]net.Listener
	listeners atomic.Pointer[listenerSet]
	conns     atomic.Int64 // open now
	// public is a frontend whose clients come from outside: what the security
	// groups of a load balancer do not let in does not reach it.
	public bool
}

// listenerSet are the listeners that a frontend serves. Immutable.
type listenerSet struct {
	all    []*listener          // of the oldest load balancer first
	byHost map[string]*listener // in lower case, without port
	lone   *listener            // the only one; nil where there are several, or none
	nobody *exchange.Answer     // to a request with none of the names
}

// frontendKind is what the frontends differ in.
type frontendKind struct {
	public bool
	codec  *http1.Codec
	limit  *http1.ConnLimit
	log    *slog.Logger
}

func newFrontend(l *listener, kind frontendKind) *frontend {
	f := &frontend{public: kind.public, sockets: map[netip.Addr]net.Listener{}}
	f.listeners.Store(&listenerSet{})
	f.proxy = exchange.NewProxy(exchange.Config{Router: f, Observer: f, Log: kind.log, Settings: *l.settings.Load()})
	f.server = http1.NewServer(kind.codec, f.proxy, kind.limit)
	f.add(l)
	return f
}

// add serves a listener too.
func (f *frontend) add(l *listener) { f.set(append(slices.Clone(f.listeners.Load().all), l)) }

func (f *frontend) remove(l *listener) (left int) {
	all := slices.DeleteFunc(slices.Clone(f.listeners.Load().all), func(other *listener) bool { return other == l })
	f.set(all)
	return len(all)
}

func (f *frontend) set(all []*listener) {
	slices.SortFunc(all, func(a, b *listener) int {
		return cmp.Or(a.lb.conf.Load().createdAt.Compare(b.lb.conf.Load().createdAt), strings.Compare(a.lb.arn, b.lb.arn))
	})
	next := &listenerSet{all: all, byHost: map[string]*listener{}}
	for _, l := range slices.Backward(all) { // of a name that two have, the older keeps it
		for _, name := range l.lb.conf.Load().names {
			next.byHost[name] = l
		}
	}
	switch len(all) {
	case 0:
	case 1:
		next.lone = all[0]
	default:
		next.nobody = nobody(all, f.public)
	}
	f.listeners.Store(next)
	f.settle()
}

// settle puts in force what must hold before a request's head tells which
// listener it is for: where several share the sockets, their shortest time-outs.
func (f *frontend) settle() {
	all := f.listeners.Load().all
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

// drain takes no new connections and lets requests under way finish.
func (f *frontend) drain() {
	f.server.Drain()
	for _, s := range f.sockets {
		_ = s.Close() // nothing was written
	}
}

// oldest is what counts where it does not show which listener is meant; nil when
// none is left.
func (s *listenerSet) oldest() *listener {
	if len(s.all) == 0 {
		return nil
	}
	return s.all[0]
}

// pick returns the listener that a Host header means: the only one, whatever
// the header says, or the one of that name; nil where there is none.
func (s *listenerSet) pick(host string) *listener {
	if s.lone != nil {
		return s.lone
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	return s.byHost[hostName(host)]
}

// hostName is a name as byHost has it.
func hostName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

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
