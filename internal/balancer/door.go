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

// door is one HTTP server with its sockets: a listener's own, or one that the
// listeners on a port share.
type door struct {
	server  *http1.Server
	sockets []net.Listener
	behind  atomic.Pointer[behind]
	conns   atomic.Int64 // open now
}

// behind are the listeners behind a door. Immutable.
type behind struct {
	byHost map[string]*listener // in lower case, without port
	oldest *listener            // takes what names no other; nil when there is none
}

func newDoor(l *listener, log *slog.Logger) *door {
	d := &door{}
	d.behind.Store(&behind{})
	d.server = http1.New(http1.Config{Router: d, Observer: d, Log: log, Settings: *l.settings.Load()})
	return d
}

// add puts a listener behind the door. The caller holds edge.mu, as for remove.
func (d *door) add(l *listener) {
	byHost := maps.Clone(d.behind.Load().byHost)
	if byHost == nil {
		byHost = map[string]*listener{}
	}
	byHost[l.lb.conf.Load().host] = l
	d.set(byHost)
}

func (d *door) remove(l *listener) (left int) {
	byHost := maps.Clone(d.behind.Load().byHost)
	maps.DeleteFunc(byHost, func(_ string, other *listener) bool { return other.arn == l.arn })
	d.set(byHost)
	return len(byHost)
}

func (d *door) set(byHost map[string]*listener) {
	next := &behind{byHost: byHost}
	if len(byHost) > 0 {
		next.oldest = slices.MinFunc(slices.Collect(maps.Values(byHost)), func(a, b *listener) int {
			return cmp.Or(a.lb.conf.Load().createdAt.Compare(b.lb.conf.Load().createdAt), strings.Compare(a.lb.arn, b.lb.arn))
		})
	}
	d.behind.Store(next)
}

// drain takes no new connections and lets requests under way finish.
func (d *door) drain() {
	d.server.Drain()
	closeSockets(d.sockets)
}

// pick gives the listener that a Host header means, nil when none is left.
func (d *door) pick(host string) *listener {
	b := d.behind.Load()
	if len(b.byHost) < 2 {
		return b.oldest
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	if l, ok := b.byHost[strings.ToLower(host)]; ok {
		return l
	}
	return b.oldest
}
