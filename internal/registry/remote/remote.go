// Package remote reads images from other registries by the OCI distribution
// protocol: manifests whole, blobs in pieces that are asked for again from
// where they were cut.
//
// A registry is not trusted: what it sends is bounded in size and time, is
// taken only with the digest that it was asked for, and its redirects lead to
// HTTPS alone. Plain HTTP is spoken on loopback, by registries there.
//
// A Client is safe for concurrent use. It keeps nothing on disk.
package remote

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"neargate/internal/model"
)

// Config configures a Client. The zero value asks every registry itself,
// without credentials.
type Config struct {
	// Mirrors are the base URLs to be asked before a registry, by its host as
	// references name it ("docker.io").
	Mirrors map[string][]string
	// DockerConfig is the directory of Docker's config.json, whose credentials are
	// used; "": none are.
	DockerConfig string
	// Environ is what credential helpers run with, in the form of os.Environ.
	Environ []string
	// Proxy chooses a proxy for a request; nil: the environment's.
	Proxy func(*http.Request) (*url.URL, error)
	// Dial opens connections; nil: the network's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Patience bounds the waiting; zero: DefaultPatience.
	Patience Patience
}

// Patience bounds how long a registry is waited for.
type Patience struct {
	Connect time.Duration // until a connection stands, and again for TLS
	Header  time.Duration // until an answer begins
	Stall   time.Duration // in which at least stallBytes of an answer come
	Tries   int           // of one request
	Backoff time.Duration // before the second try; doubles with each
	// RetryAfter is the longest wait that a registry may ask for. Where it asks for
	// more, the request fails at once.
	RetryAfter time.Duration
}

// DefaultPatience is that of a server. A registry that hangs is given up after
// a little more than a minute.
func DefaultPatience() Patience {
	return Patience{
		Connect: 10 * time.Second, Header: 15 * time.Second, Stall: 20 * time.Second,
		Tries: 5, Backoff: 500 * time.Millisecond, RetryAfter: 30 * time.Second,
	}
}

// maxManifestBytes is the limit that registries commonly set on manifests.
const maxManifestBytes = 4 << 20

// maxHeaderBytes bounds the head of an answer.
const maxHeaderBytes = 64 << 10

// Client asks registries.
type Client struct {
	cfg  Config
	base *http.Transport

	mu      sync.Mutex
	schemes map[string]string // by host:port on loopback: what is spoken there
}

// New returns a client.
func New(cfg Config) *Client {
	if cfg.Patience == (Patience{}) {
		cfg.Patience = DefaultPatience()
	}
	if cfg.Proxy == nil {
		cfg.Proxy = http.ProxyFromEnvironment
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{Timeout: cfg.Patience.Connect}).DialContext
	}
	return &Client{cfg: cfg, schemes: map[string]string{}, base: &http.Transport{
		Proxy: cfg.Proxy, DialContext: cfg.Dial, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: cfg.Patience.Connect, ResponseHeaderTimeout: cfg.Patience.Header,
		MaxResponseHeaderBytes: maxHeaderBytes, DisableCompression: true,
		MaxIdleConnsPerHost: maxDownloads, IdleConnTimeout: 30 * time.Second,
	}}
}

// Close closes the connections that nobody uses.
func (c *Client) Close() { c.base.CloseIdleConnections() }

// Repository returns the repository of ref for one pull: the tokens that it is
// given and the mirrors that fail it are forgotten with it. cred opens the
// registry; nil: what Docker's configuration has for it.
func (c *Client) Repository(ref Reference, cred *model.Credential) *Repository {
	r := &Repository{client: c, ref: ref, slots: make(chan struct{}, maxDownloads), skip: map[*endpoint]bool{}}
	for _, m := range c.cfg.Mirrors[ref.Host] {
		r.endpoints = append(r.endpoints, c.mirror(m))
	}
	r.endpoints = append(r.endpoints, c.origin(ref.Host, cred))
	return r
}

// Repository is a repository of another registry, for one pull.
type Repository struct {
	client    *Client
	ref       Reference
	endpoints []*endpoint   // mirrors first
	slots     chan struct{} // one for each download under way

	mu   sync.Mutex
	skip map[*endpoint]bool // mirrors that cannot be reached
}
