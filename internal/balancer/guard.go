package balancer

import (
	"net/netip"
	"slices"

	"neargate/internal/decide/firewall"
)

// SetPolicy puts security groups in force for clients from outside: for
// connections and requests to come. Before the first call nobody is let in.
func (b *Balancer) SetPolicy(p firewall.Policy) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.policy = p
	for _, lb := range b.lbs {
		lb.admit(p)
	}
}

// admit puts in force what the load balancer's groups let in.
func (lb *loadBalancer) admit(p firewall.Policy) {
	in := p.Ingress(lb.conf.Load().groups)
	lb.ingress.Store(&in)
}

// admits reports whether a client from outside may reach the listener: the load
// balancer has addresses of the client's kind, and its groups let it in or are not
// asked.
func (l *listener) admits(client netip.Addr) bool {
	return l.lb.conf.Load().faces(client) && (l.lb.local(client) || l.lb.ingress.Load().Admits(client, l.port))
}

// admits reports whether a client from outside may connect. Whom none of the load
// balancers behind the socket lets in is disconnected at once; which one a request
// is for, its Host header tells later.
func (f *frontend) admits(client netip.Addr) bool {
	return slices.ContainsFunc(f.listeners.Load().all, func(l *listener) bool { return l.admits(client) })
}

// Port is the port that it listens on.
func (l *listener) Port() int { return l.port }

// Own are the addresses that are its load balancer's alone.
func (l *listener) Own() []netip.Addr { return l.lb.addresses() }

// Outside reports whether clients from outside reach its load balancer.
func (l *listener) Outside() bool { return l.lb.conf.Load().internetFacing }

// Faces reports whether they do at an address of this machine.
func (l *listener) Faces(a netip.Addr) bool { return l.lb.conf.Load().faces(a) }
