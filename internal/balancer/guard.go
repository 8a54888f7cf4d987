package balancer

import (
	"net"
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

// guarded is a socket that outsiders reach. Whom none of the load balancers
// behind it lets in is disconnected at once; which one a request is for, its
// Host header tells later.
type guarded struct {
	net.Listener
	f *frontend
}

// Accept returns the next connection that is let in.
func (g guarded) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil || g.f.admits(conn) {
			return conn, err
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset: nothing stays behind of a flood
		}
		_ = conn.Close()
	}
}

func (f *frontend) admits(conn net.Conn) bool {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	client := tcp.AddrPort().Addr().Unmap()
	return slices.ContainsFunc(f.listeners.Load().all, func(l *listener) bool { return l.admits(client) })
}
