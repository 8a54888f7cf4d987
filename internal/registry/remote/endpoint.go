package remote

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"cuelabs.dev/go/oci/ociregistry/ociauth"

	"neargate/internal/model"
)

// maxRedirects is net/http's limit, too.
const maxRedirects = 10

// endpoint is a server that has a repository: the registry itself or a mirror.
type endpoint struct {
	name   string // for messages: a mirror's URL; "": the registry itself
	host   string // HOST or HOST:PORT
	scheme string // "": to be found out
	prefix string // of the path, without a slash at its end
	client *http.Client
}

// CheckMirror refuses what is no base URL of a mirror.
func CheckMirror(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return err
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%q: want a URL such as https://mirror.example", s)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("a mirror's URL has host and path only; its credentials are taken from Docker's config.json")
	case u.Scheme == "http" && !isLoopback(u.Host):
		return fmt.Errorf("%q: plain HTTP is spoken on loopback only", s)
	}
	return nil
}

// mirror returns the endpoint of a URL that CheckMirror passes.
func (c *Client) mirror(base string) *endpoint {
	u, err := url.Parse(base)
	if err != nil {
		u = &url.URL{}
	}
	e := &endpoint{name: base, host: u.Host, scheme: u.Scheme, prefix: strings.TrimSuffix(u.Path, "/")}
	e.client = c.httpClient(e.host, keyring{client: c, server: e.host, registry: e.host})
	return e
}

// origin returns the endpoint of a registry itself.
func (c *Client) origin(host string, cred *model.Credential) *endpoint {
	e := &endpoint{host: host, scheme: "https"}
	switch {
	case host == Hub:
		e.host = hubServer
	case isLoopback(host):
		e.scheme = ""
	}
	e.client = c.httpClient(e.host, keyring{client: c, server: e.host, registry: host, cred: cred})
	return e
}

// httpClient returns a client for one registry with tokens of its own.
func (c *Client) httpClient(host string, keys ociauth.Config) *http.Client {
	g := &guard{base: c.base, local: isLoopback(host), stall: c.cfg.Patience.Stall}
	return &http.Client{
		Transport: ociauth.NewStdTransport(ociauth.StdTransportParams{Config: keys, Transport: g}),
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) >= maxRedirects {
				return permanent(fmt.Errorf("stopped after %d redirects", maxRedirects))
			}
			return nil
		},
	}
}

// do sends a request for a path below /v2/ to the endpoint. On loopback, where
// registries speak HTTP or HTTPS, HTTPS is tried first.
func (c *Client) do(e *endpoint, path string, build func(url string) (*http.Request, error)) (*http.Response, error) {
	scheme := e.scheme
	if scheme == "" {
		c.mu.Lock()
		scheme = c.schemes[e.host]
		c.mu.Unlock()
	}
	try := func(scheme string) (*http.Response, error) {
		req, err := build(scheme + "://" + e.host + e.prefix + "/v2/" + path)
		if err != nil {
			return nil, err
		}
		return e.client.Do(req)
	}
	if scheme != "" {
		return try(scheme)
	}
	scheme = "https"
	resp, err := try(scheme)
	if speaksNoTLS(err) {
		scheme = "http"
		resp, err = try(scheme)
	}
	if err == nil {
		c.mu.Lock()
		c.schemes[e.host] = scheme
		c.mu.Unlock()
	}
	return resp, err
}

// speaksNoTLS reports whether an error is what a server without TLS answers to
// the beginning of it.
func speaksNoTLS(err error) bool {
	_, odd := errors.AsType[tls.RecordHeaderError](err)
	return odd || errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

// isLoopback reports whether HOST or HOST:PORT is this machine by name.
func isLoopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return name == "localhost" || ip != nil && ip.IsLoopback()
}
