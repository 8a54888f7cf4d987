// Package acme orders certificates of a public authority by ACME (RFC 8555), and
// has the proofs that names lead here, which load balancers show: over HTTP
// (http-01) or in the TLS handshake (tls-alpn-01).
//
// Client is safe for concurrent use. It serves nothing itself.
package acme

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	rfc8555 "golang.org/x/crypto/acme"

	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// Config is what a Client needs to be told.
type Config struct {
	Directory string // URL of the authority's directory
	Email     string // where the authority warns; may be empty
	Key       *sealed.Key
	// Rejected makes the error of an order that no repetition mends, with AWS's
	// reason.
	Rejected func(reason string, err error) error
}

// account is the account at an authority, as it is kept.
type account struct {
	Sealed []byte // its private key in PKCS #8, encrypted
}

// Client orders certificates.
type Client struct {
	cfg   Config
	table *store.Table[account] // by the directory's URL

	// ordering serialises orders: authorities count those of an account.
	ordering sync.Mutex
	client   *rfc8555.Client // guarded by ordering; nil: not registered yet
	turn     map[string]int  // guarded by ordering: proofs that failed, by name

	mu     sync.RWMutex
	tokens map[string]string           // guarded by mu: proofs over HTTP
	hellos map[string]*tls.Certificate // guarded by mu: proofs by TLS, by name
}

// Open opens the client's account in a state. It asks the authority nothing.
func Open(db *store.DB, cfg Config) (*Client, error) {
	table, err := store.NewTable[account](db, "acme-accounts")
	if err != nil {
		return nil, fmt.Errorf("open the ACME account: %w", err)
	}
	return &Client{
		cfg: cfg, table: table, turn: map[string]int{}, tokens: map[string]string{}, hellos: map[string]*tls.Certificate{},
	}, nil
}

// agent names the program to authorities, which ask for it.
const agent = "neargate"

// register returns a client with an account at the authority, which it makes when
// it is first asked for. It wants c.ordering held.
func (c *Client) register(ctx context.Context) (*rfc8555.Client, error) {
	if c.client != nil {
		return c.client, nil
	}
	key, err := c.accountKey(ctx)
	if err != nil {
		return nil, err
	}
	client := &rfc8555.Client{
		Key: key, DirectoryURL: c.cfg.Directory, UserAgent: agent,
		HTTPClient: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}},
	}
	wanted := &rfc8555.Account{}
	if c.cfg.Email != "" {
		wanted.Contact = []string{"mailto:" + c.cfg.Email}
	}
	_, err = client.Register(ctx, wanted, rfc8555.AcceptTOS)
	if err != nil && !errors.Is(err, rfc8555.ErrAccountAlreadyExists) {
		return nil, fmt.Errorf("register at %s: %w", c.cfg.Directory, err)
	}
	c.client = client
	return client, nil
}

// accountKey reads the account's key, or makes one. It is on disk before the
// authority hears of it.
func (c *Client) accountKey(ctx context.Context) (crypto.Signer, error) {
	if kept, ok := c.table.Get(c.cfg.Directory); ok {
		der, ok := c.cfg.Key.Open(kept.Sealed, c.cfg.Directory)
		if !ok {
			return nil, errors.New("decrypt the key of the ACME account: it was encrypted with another key")
		}
		key, err := x509.ParsePKCS8PrivateKey(der)
		signer, ok := key.(crypto.Signer)
		if err == nil && !ok {
			err = errors.New("no key that signs")
		}
		if err != nil {
			return nil, fmt.Errorf("read the key of the ACME account: %w", err)
		}
		return signer, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, c.table.Put(ctx, c.cfg.Directory, account{c.cfg.Key.Seal(der, c.cfg.Directory)})
}
