package balancer

import (
	"crypto/tls"
	"net"
	"net/netip"
	"slices"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/decide/handshake"
)

// speaks reports how clients may speak here: front.Config.
func (f *frontend) speaks() (plain, secure bool) {
	set := f.listeners.Load()
	return len(set.plain.all) > 0, len(set.secure.all) > 0
}

// meant returns the TLS of the listener that a client means, by the name that it
// asks for: its load balancer's, or one that a certificate has. Whoever asks for
// another, or for none, gets the oldest. nil: there is none for this client.
func (f *frontend) meant(hello *tls.ClientHelloInfo) *front.TLS {
	t := &f.listeners.Load().secure
	all := t.all
	if f.public {
		client := clientOf(hello.Conn)
		all = slices.DeleteFunc(slices.Clone(all), func(l *listener) bool { return !l.admits(client) })
	}
	if len(all) == 0 {
		return nil
	}
	best := all[0]
	if name := front.HostName(hello.ServerName); name != "" && len(all) > 1 {
		if named := t.byHost[name]; named != nil && slices.Contains(all, named) {
			return named.secure.Load()
		}
		found := handshake.NoMatch
		for _, l := range all {
			if m := l.secure.Load().Matches(name); m > found {
				best, found = l, m
			}
		}
	}
	return best.secure.Load()
}

func clientOf(conn net.Conn) netip.Addr {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

// listener returns the listener that a request is for; nil: none, and the answer
// to that, which is nil too when the last was deleted under a kept connection.
func (f *frontend) listener(r *exchange.Request) (*listener, *exchange.Answer) {
	set := f.listeners.Load()
	if secure, _ := r.Conn.Note.(*front.Secure); secure != nil {
		if l := set.secure.within(secure, r.Host); l != nil {
			return l, nil
		}
		return nil, misdirected()
	}
	if proof := f.proof(r); proof != nil {
		return nil, proof
	}
	return set.plain.pick(r.Host), set.plain.nobody
}

// within returns the listener that a request over TLS is for: the one that the
// handshake was with. A client that asked for no name there may name another one
// in the Host header, if that one would not have asked it for a certificate.
func (t *tenants) within(secure *front.Secure, host string) *listener {
	with := secure.By.Note().(*listener)
	named := t.byHost[withoutPort(host)]
	switch {
	case !slices.Contains(t.all, with): // deleted under a kept connection
		return nil
	case named == nil || named == with:
		return with
	case secure.ServerName == "" && !named.secure.Load().Demands() && !secure.By.Demands():
		return named
	}
	return nil
}

// misdirected is the answer to a request that came over another load balancer's
// connection (RFC 9110 15.5.20).
func misdirected() *exchange.Answer {
	return &exchange.Answer{
		Status: 421, ContentType: "text/plain; charset=utf-8", Reason: "UnknownHost",
		Body: "This connection was made to another load balancer than the Host header names.\n",
	}
}

// Refused counts a client with whom no TLS was agreed on: front.Events.
func (f *frontend) Refused(r front.Refusal) {
	l := f.listeners.Load().secure.oldest()
	if r.By != nil {
		l = r.By.Note().(*listener)
	}
	if l == nil {
		return
	}
	l.lb.traffic.handshakes.Add(1)
	if log := &l.lb.logs[accesslog.Connections]; log.Wanted() {
		log.Conn(l.connection(r.Client, r.ID, r.Secure, r.Fault()))
	}
}
