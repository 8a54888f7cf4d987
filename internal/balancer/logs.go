package balancer

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// logEvery is how often access logs are written. AWS: each five minutes; here
// somebody waits for them.
const logEvery = time.Minute

// accessLogs are the logs whose load balancer goes on without them.
type accessLogs struct {
	mu      sync.Mutex
	retired []*accesslog.Log // guarded by mu
}

// logPlace returns where a load balancer's access log goes; without a bucket: it
// has none.
func (b *Balancer) logPlace(lb model.LoadBalancer, c *lbConf) accesslog.Place {
	a := lb.Attributes
	if a["access_logs.s3.enabled"] != "true" || b.cfg.AccessLogs == nil {
		return accesslog.Place{}
	}
	return accesslog.Place{
		Place: b.cfg.Place, LoadBalancer: "app/" + lb.Name + "/" + lb.ID, Address: c.address,
		Bucket: a["access_logs.s3.bucket"], Prefix: trimmed(a["access_logs.s3.prefix"]),
	}
}

var errNoAccessLogs = errors.New("this server has nowhere to keep access logs")

// TryAccessLog puts AWS's test file where an access log is to go.
func (b *Balancer) TryAccessLog(ctx context.Context, bucket, prefix string) error {
	if b.cfg.AccessLogs == nil {
		return errNoAccessLogs
	}
	place := accesslog.Place{Place: b.cfg.Place, Bucket: bucket, Prefix: trimmed(prefix)}
	return b.cfg.AccessLogs.Put(ctx, bucket, place.TestKey(), []byte("Enable AccessLog for ELB: "+time.Now().UTC().Format(time.RFC3339)))
}

func trimmed(prefix string) string { return strings.Trim(prefix, "/") }

// relog has a load balancer log to where its configuration says.
func (b *Balancer) relog(lb *loadBalancer) {
	place, old := lb.conf.Load().logs, lb.log.Load()
	if old != nil && old.Goes(place) {
		return
	}
	var next *accesslog.Log
	if place.Bucket != "" {
		next = accesslog.New(place)
	}
	b.setLog(lb, next)
}

// setLog gives a load balancer another log, and has what is in the one before
// written.
func (b *Balancer) setLog(lb *loadBalancer, next *accesslog.Log) {
	if old := lb.log.Swap(next); old != nil {
		b.logs.mu.Lock()
		defer b.logs.mu.Unlock()
		b.logs.retired = append(b.logs.retired, old)
	}
}

// writeLogs writes the access logs now and then, until ctx ends.
func (b *Balancer) writeLogs(ctx context.Context) {
	ticker := time.NewTicker(logEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			b.flushLogs(ctx, now)
		}
	}
}

// flushLogs writes what there is of the access logs.
func (b *Balancer) flushLogs(ctx context.Context, now time.Time) {
	b.logs.mu.Lock()
	all := b.logs.retired
	b.logs.retired = nil
	b.logs.mu.Unlock()
	b.mu.RLock()
	for _, lb := range b.lbs {
		if log := lb.log.Load(); log != nil {
			all = append(all, log)
		}
	}
	b.mu.RUnlock()
	for _, log := range all {
		err := log.Write(ctx, b.cfg.AccessLogs, now)
		if lost, ok := errors.AsType[*accesslog.LostError](err); ok {
			b.log.Warn("an access log has gaps", "lost_lines", lost.Lines)
		} else if err != nil {
			b.log.Warn("write an access log", "error", err)
		}
	}
}

// note adds a finished request to its load balancer's access log; one from where
// nobody is let in never came.
func (f *frontend) note(log *accesslog.Log, r *exchange.Request, s *exchange.Summary) {
	if _, dropped := r.Note.(*listener); dropped {
		return
	}
	agent, _ := r.Header("user-agent")
	e := accesslog.Entry{
		Tunnel: s.Tunnel, LoadBalancer: log.LoadBalancer(), Client: r.Client(), Arrived: r.Arrived, Dispatched: s.Dispatched, Answered: s.Answered,
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
		e.Secure, e.Cipher, e.Protocol, e.ServerName, e.Certificate = true, secure.Cipher, secure.Version, secure.ServerName, secure.ARN
	}
	if s.Spared != routing.NoKindness {
		e.WouldHave, e.WouldReason = s.Spared.Would(), s.Spared.String()
	}
	if s.Target != nil {
		e.Target = s.Target.Addr()
	}
	switch to := r.Note.(type) {
	case *weightedGroup:
		e.Action, e.Priority, e.TargetGroup = "forward", to.priority, to.group.arn
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
		}
	}
	log.Add(&e)
}

// className is a class of desync mitigation as access logs name it.
func className(c exchange.Desync) string {
	return [...]string{exchange.Compliant: "", exchange.Acceptable: "Acceptable", exchange.Ambiguous: "Ambiguous", exchange.Severe: "Severe"}[c]
}
