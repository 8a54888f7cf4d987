// Package authenticate lets clients in at a load balancer by a token that they bring
// (jwt-validation). What its claims must be is decided in decide/authentication;
// here are the signatures, and the keys, which issuers are asked for.
//
// What can be decided at once is; a Result that keys are needed for first has Ask.
// An Authenticator is safe for concurrent use.
package authenticate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/authentication"
)

// Config is what an Authenticator works with.
type Config struct {
	// Roots returns whom certificates of issuers must be signed by. nil: the system's.
	Roots func() (*x509.CertPool, error)
	// Spawn runs a function in a goroutine that its caller's owner waits for. The
	// function may not be run at all, once that owner has ended.
	Spawn func(func(context.Context))
	// Now is the time. nil: time.Now.
	Now func() time.Time
}

// Authenticator knows the keys of issuers, and asks for them. Make it with New.
type Authenticator struct {
	cfg    Config
	client *http.Client

	mu   sync.Mutex
	sets map[string]*keySet // by their endpoints; guarded by mu
}

// patience is how long an issuer may take for an answer.
const patience = 5 * time.Second

// New creates an Authenticator that has asked nobody yet.
func New(cfg Config) *Authenticator {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Roots == nil {
		cfg.Roots = func() (*x509.CertPool, error) { return nil, nil }
	}
	return &Authenticator{
		cfg: cfg, sets: map[string]*keySet{},
		client: &http.Client{
			Timeout: patience,
			// One request now and then: nothing is kept open for the next.
			Transport: &http.Transport{DisableKeepAlives: true, DialTLSContext: cfg.dial},
			// Keys come from where the action says, and from nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// dial connects to an issuer.
func (c *Config) dial(ctx context.Context, network, address string) (net.Conn, error) {
	roots, err := c.Roots()
	if err != nil {
		return nil, fmt.Errorf("find whom to trust: %w", err)
	}
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return d.DialContext(ctx, network, address)
}

// Result is what an authentication has come to: keys must be waited for, the request
// is answered, or it passes.
type Result struct {
	// Ask returns the Result, one without Ask. It may wait, until ctx ends. nil: this
	// is it.
	Ask    func(ctx context.Context) Result
	Answer *exchange.Answer // what the client gets; nil: the request passes
}

// refused is the result of a request that is not let in.
func refused(why authentication.Reason) Result {
	return Result{Answer: &exchange.Answer{Status: why.Status(), Reason: string(why)}}
}
