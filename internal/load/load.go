// Package load is the load tester: users that send requests over HTTP/1.1
// keep-alive connections of their own, as many at each moment as a
// traffic.Shape says.
//
// Every result tells when the request was planned, sent, first answered and
// done; latency counts from the plan, so that a client that falls behind shows
// it instead of hiding it. A failed request is a result, not an error.
package load

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"neargate/internal/traffic"
)

// Config says what to send and how fast.
type Config struct {
	URL   string         // http(s)://HOST[:PORT]/PATH; HOST goes into the Host header
	Roots *x509.CertPool // that the server of an https URL must have its certificate from; nil: the system's
	Dial  string         // HOST:PORT to connect to instead of the URL's; "" uses the URL's
	Users traffic.Shape  // users at each moment
	// Pace is the time from one request of a user to its next. A request that
	// takes longer is followed at once. Zero sends as fast as answers come.
	Pace    time.Duration
	Timeout time.Duration // of one request, connect included; 0 is 60 s
}

// Result is one request.
type Result struct {
	Planned, Sent, FirstByte, Done time.Time
	Status                         int   // 0 when no answer came
	Bytes                          int64 // of the answer's body
	Err                            error // nil when an answer came whole
}

// Failed reports that no answer came, or one that is not a success.
func (r Result) Failed() bool { return r.Err != nil || r.Status < 200 || r.Status > 399 }

// Latency is the time from plan to end.
func (r Result) Latency() time.Duration { return r.Done.Sub(r.Planned) }

// Tester sends the load of one Config.
type Tester struct {
	cfg     Config
	addr    string
	tls     *tls.Config // nil: http
	request []byte
}

// New checks cfg and makes a Tester. It opens nothing.
func New(cfg Config) (*Tester, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("load: URL %q must be http://HOST/PATH or https://HOST/PATH", cfg.URL)
	}
	if err := cfg.Users.Validate(); err != nil {
		return nil, fmt.Errorf("load: users: %w", err)
	}
	if cfg.Pace < 0 || cfg.Timeout < 0 {
		return nil, errors.New("load: pace and timeout must not be negative")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	addr := cfg.Dial
	if addr == "" {
		addr = u.Host
		if u.Port() == "" {
			addr = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
		}
	}
	req := "GET " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUser-Agent: neargate-load\r\nAccept: */*\r\n\r\n"
	t := &Tester{cfg: cfg, addr: addr, request: []byte(req)}
	if u.Scheme == "https" {
		t.tls = &tls.Config{RootCAs: cfg.Roots, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	}
	return t, nil
}

// Run sends the load and calls record for every result, from several
// goroutines at a time. It returns when the shape is over and every request
// has ended; when ctx ends, requests under way are broken off unrecorded, and
// ctx's cause is returned.
func (t *Tester) Run(ctx context.Context, record func(Result)) error {
	start := time.Now()
	var users sync.WaitGroup
	defer users.Wait()
	var stops []chan struct{} // of the active users
	defer func() {
		for _, stop := range stops {
			close(stop)
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
		at := time.Since(start)
		want := t.cfg.Users.Users(at)
		for len(stops) < want {
			stop := make(chan struct{})
			stops = append(stops, stop)
			users.Go(func() { t.user(ctx, stop, record) })
		}
		for len(stops) > want {
			close(stops[len(stops)-1])
			stops = stops[:len(stops)-1]
		}
		next, ok := t.cfg.Users.UserChange(at)
		if !ok {
			return nil
		}
		timer.Reset(next - at)
	}
}

// user sends requests one after the other until stop or ctx.
func (t *Tester) user(ctx context.Context, stop <-chan struct{}, record func(Result)) {
	c := &conn{addr: t.addr, tls: t.tls}
	defer c.close()
	defer context.AfterFunc(ctx, c.abort)() // wakes a read under way
	timer := time.NewTimer(0)
	defer timer.Stop()
	planned := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-stop:
			return
		case <-timer.C:
		}
		r := Result{Planned: planned}
		c.do(ctx, t.request, t.cfg.Timeout, &r)
		if ctx.Err() != nil {
			return
		}
		record(r)
		planned = planned.Add(t.cfg.Pace)
		if planned.Before(r.Done) {
			planned = r.Done
		}
		timer.Reset(time.Until(planned))
	}
}
