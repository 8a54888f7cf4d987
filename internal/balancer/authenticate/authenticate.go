// Package authenticate lets clients in at a load balancer: by a token that they
// bring (jwt-validation), or by logging in at an OpenID provider
// (authenticate-oidc). What is right and what comes next is decided in
// decide/authentication; here are the keys, signatures, cookies and the requests
// to identity providers.
//
// What can be decided at once is; a Result that takes an answer of somebody else
// first has Ask. An Authenticator is safe for concurrent use.
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
	// Roots returns whom certificates of identity providers must be signed by. nil:
	// the system's.
	Roots func() (*x509.CertPool, error)
	// Spawn runs a function in a goroutine that its caller's owner waits for. The
	// function may not be run at all, once that owner has ended.
	Spawn func(func(context.Context))
	// Now is the time. nil: time.Now.
	Now func() time.Time
}

// Authenticator knows the keys of issuers and asks identity providers. Make it with
// New.
type Authenticator struct {
	cfg    Config
	client *http.Client

	mu   sync.Mutex
	sets map[string]*keySet // by their endpoints; guarded by mu
}

// patience is how long an identity provider may take for an answer.
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
			// What is secret goes where the action says, and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// dial connects to an identity provider.
func (c *Config) dial(ctx context.Context, network, address string) (net.Conn, error) {
	roots, err := c.Roots()
	if err != nil {
		return nil, fmt.Errorf("find whom to trust: %w", err)
	}
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return d.DialContext(ctx, network, address)
}

// Result is what an authentication has come to: somebody must be asked, the request
// is answered, or it passes.
type Result struct {
	Ask    func(ctx context.Context) Result // if not nil, may wait, until ctx ends
	Answer *exchange.Answer                 // else, if not nil, what the client gets
	Fields []exchange.Field                 // else what the target gets beside
	Reason authentication.Reason            // of Answer, "" for none
}

// refused is the result of a request that is not let in.
func refused(why authentication.Reason) Result {
	return Result{Answer: &exchange.Answer{Status: why.Status(), Reason: string(why)}, Reason: why}
}
