package balancer

import (
	"net/netip"
	"strings"
	"time"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/decide/routing"
)

// note adds a finished request to its load balancer's access log; one from where
// nobody is let in never came.
func (f *frontend) note(log *accesslog.Stream, lb *lbConf, r *exchange.Request, s *exchange.Summary) {
	if _, dropped := r.Note.(*listener); dropped {
		return
	}
	agent, _ := r.Header("user-agent")
	e := accesslog.Entry{
		Tunnel: s.Tunnel, LoadBalancer: lb.resource, Node: lb.address, Conn: r.Conn.ID, Client: r.Client(), Arrived: r.Arrived, Dispatched: s.Dispatched, Answered: s.Answered,
		Finished: s.Finished, Status: s.Status, TargetStatus: s.TargetStatus, Received: s.Received, Sent: s.SentBytes,
		Method: r.Method, Host: r.Host, URI: r.URI, Version: r.Version, UserAgent: agent, Trace: r.Trace(),
		Priority: accesslog.NoRule, Class: className(s.Class), ClassReason: s.ClassReason,
	}
	if !strings.HasPrefix(e.URI, "/") { // as a client of a proxy writes it
		if e.URI = r.Path; r.Query != "" {
			e.URI += "?" + r.Query
		}
	}
	l, _ := f.listener(r)
	if l == nil {
		l = f.listeners.Load().oldest()
	}
	if l != nil {
		e.Port = l.port
	}
	if secure, _ := r.Conn.Note.(*front.Secure); secure != nil {
		e.Secure, e.Cipher, e.Protocol, e.Certificate = true, secure.Cipher, secure.Version, secure.ARN
		if secure.Named() {
			e.ServerName = secure.ServerName
		}
	}
	e.GRPC = e.Version == "HTTP/2.0" && isGRPC(r)
	if s.Spared != routing.NoKindness {
		e.WouldHave, e.WouldReason = s.Spared.Would(), s.Spared.String()
	}
	if s.Target != nil {
		e.Target = s.Target.Addr()
	}
	switch to := r.Note.(type) {
	case *weightedGroup:
		e.Action, e.Priority, e.TargetGroup = "forward", to.priority, to.group.arn
		if to.rewrites {
			transformed(&e, s.Rewrite)
		}
		e.Before = to.gate.name()
	case *stopped:
		e.Action, e.Priority, e.ErrorReason = to.at.gate.action, to.at.priority, s.Reason
	case *route:
		e.Action, e.Priority = "forward", to.priority // to groups without a weight
		switch {
		case to.fixed != nil:
			e.Action = "fixed-response"
		case to.redirect != nil:
			e.Action = "redirect"
			if l != nil {
				e.Redirect = to.moved(r, l).Location
			}
		case s.Reason == transformFailed:
			e.Transform = "TransformInvalidPath"
			if _, err := to.rewrite.Host(r.Host); err != nil {
				e.Transform = "TransformInvalidHost"
			}
		}
		e.Before = to.gate.name()
	}
	log.Request(&e)
}

// transformed notes what the target got for host and URI.
func transformed(e *accesslog.Entry, w *exchange.Rewrite) {
	e.Transform = "TransformSuccess"
	if w == nil {
		return
	}
	e.TransformedHost, e.TransformedURI = w.Host, w.Path
	if w.Query != "" {
		e.TransformedURI += "?" + w.Query
	}
}

// met adds an established connection to the connection log: of the listener that it
// is with, or without TLS of the oldest one, as counters do.
func (f *frontend) met(c front.Conn) {
	var l *listener
	if c.Secure != nil {
		l = c.Secure.By.Note().(*listener)
	} else {
		l = f.listeners.Load().plain.oldest()
	}
	if l == nil {
		return
	}
	if log := &l.lb.logs[accesslog.Connections]; log.Wanted() {
		log.Conn(l.connection(c.Client, c.ID, c.Secure, ""))
	}
}

// connection is a connection as its log tells of it; fault is why it was refused.
func (l *listener) connection(client netip.AddrPort, id exchange.ConnID, secure *front.Secure, fault string) *accesslog.Conn {
	lb := l.lb.conf.Load()
	c := &accesslog.Conn{At: time.Now(), Client: client, ID: id, Port: l.port, LoadBalancer: lb.resource, Node: lb.address, Fault: fault}
	if secure != nil {
		c.Protocol, c.Cipher, c.Group, c.Took = secure.Version, secure.Cipher, secure.Group, secure.Took
		if len(secure.Chain) > 0 {
			c.Leaf = secure.Chain[0]
		}
	}
	return c
}

// className is a class of desync mitigation as access logs name it.
func className(c exchange.Desync) string {
	return [...]string{exchange.Compliant: "", exchange.Acceptable: "Acceptable", exchange.Ambiguous: "Ambiguous", exchange.Severe: "Severe"}[c]
}
