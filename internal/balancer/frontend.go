package balancer

import (
	"cmp"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"

	"neargate/internal/balancer/http1"
)

// frontend is one HTTP server with its sockets: a listener's own, or one that
// the listeners on a port share.
type frontend struct {
	server    *http1.Server
	sockets   []net.Listener
	listeners atomic.Pointer[listenerSet]
	conns     atomic.Int64 // open now
}

// listenerSet are the listeners that a frontend serves. Immutable.
type listenerSet struct {
	byHost map[string]*listener // in lower case, without port
	oldest *listener            // takes what names no other; nil when there is none
}

func newFrontend(l *listener, limit *http1.ConnLimit, log *slog.Logger) *frontend {
	f := &frontend{}
	f.listeners.Store(&listenerSet{})
	f.server = http1.New(http1.Config{Router: f, Observer: f, Log: log, Settings: *l.settings.Load(), Limit: limit})
	f.add(l)
	return f
}

// add serves a listener too. The caller holds front.mu, as for remove.
func (f *frontend) add(l *listener) {
	byHost := maps.Clone(f.listeners.Load().byHost)
	if byHost == nil {
		byHost = map[string]*listener{}
	}
	byHost[l.lb.conf.Load().host] = l
	f.set(byHost)
}

func (f *frontend) remove(l *listener) (left int) {
	byHost := maps.Clone(f.listeners.Load().byHost)
	maps.DeleteFunc(byHost, func(_ string, other *listener) bool { return other.arn == l.arn })
	f.set(byHost)
	return len(byHost)
}

func (f *frontend) set(byHost map[string]*listener) {
	next := &listenerSet{byHost: byHost}
	if len(byHost) > 0 {
		next.oldest = slices.MinFunc(slices.Collect(maps.Values(byHost)), func(a, b *listener) int {
			return cmp.Or(a.lb.conf.Load().createdAt.Compare(b.lb.conf.Load().createdAt), strings.Compare(a.lb.arn, b.lb.arn))
		})
	}
	f.listeners.Store(next)
	f.settle()
}

// settle puts in force what must hold before a request's head tells which
// listener it is for: where several share the sockets, their shortest time-outs.
func (f *frontend) settle() {
	set := f.listeners.Load()
	if set.oldest == nil {
		return
	}
	all := *set.oldest.settings.Load()
	for _, l := range set.byHost {
		s := l.settings.Load()
		all.IdleTimeout = min(all.IdleTimeout, s.IdleTimeout)
		all.ClientKeepAlive = min(all.ClientKeepAlive, s.ClientKeepAlive)
	}
	f.server.SetSettings(all)
}

// drain takes no new connections and lets requests under way finish.
func (f *frontend) drain() {
	f.server.Drain()
	closeSockets(f.sockets)
}

// pick returns the listener that a Host header means, nil when none is left.
func (f *frontend) pick(host string) *listener {
	set := f.listeners.Load()
	if len(set.byHost) < 2 {
		return set.oldest
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	if l, ok := set.byHost[strings.ToLower(host)]; ok {
		return l
	}
	return set.oldest
}
