package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ociclient"
	"go.uber.org/goleak"

	"neargate/internal/model"
	"neargate/internal/registry/layer"
	"neargate/internal/registry/remote"
	"neargate/internal/runtime/local/seccomp"
	"neargate/internal/store"
)

func TestMain(m *testing.M) {
	layer.Dispatch(seccomp.Install)
	goleak.VerifyTestMain(m)
}

const account = "000000000000"

// fixture is an open registry behind a real HTTP server.
type fixture struct {
	*Registry
	dir string
	db  *store.DB
	url string
	oci ociregistry.Interface // a client with a valid token
	set func(*Config)         // what a test changes before the registry is opened; may be nil
}

func newFixture(tb testing.TB) *fixture {
	tb.Helper()
	f := &fixture{dir: tb.TempDir()}
	f.reopen(tb)
	tb.Cleanup(func() { f.db.Close() })
	return f
}

// reopen opens the registry as a server's next process would.
func (f *fixture) reopen(tb testing.TB) {
	tb.Helper()
	if f.db != nil {
		f.db.Close()
	}
	var err error
	if f.db, err = store.Open(filepath.Join(f.dir, "state.db")); err != nil {
		tb.Fatal(err)
	}
	filter, err := seccomp.Default(nil)
	if err != nil {
		tb.Fatal(err)
	}
	cfg := Config{
		Filter: filter,
		Dir:    filepath.Join(f.dir, "registry"), Place: model.Place{Region: "us-east-1", Account: account},
		Endpoint: "127.0.0.1:4566", MaxBlobBytes: 1 << 20, MaxUnpackedBytes: 1 << 20,
	}
	cfg.Remote = remote.Config{Dial: elsewhere, Patience: hasty}
	if f.set != nil {
		f.set(&cfg)
	}
	if f.Registry, err = Open(tb.Context(), f.db, cfg, slog.New(slog.DiscardHandler)); err != nil {
		tb.Fatal(err)
	}
	srv := httptest.NewServer(f.Handler())
	tb.Cleanup(srv.Close)
	f.url = srv.URL
	password, _ := f.Token("AKIAROOT")
	f.oci = newClient(tb, srv, "AWS", password)
}

// hasty is the patience of tests.
var hasty = remote.Patience{
	Connect: 5 * time.Second, Header: 5 * time.Second, Stall: 5 * time.Second, Tries: 2, Backoff: time.Millisecond, RetryAfter: time.Second,
}

// elsewhere is the network of tests: nothing but loopback.
func elsewhere(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(address); err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return nil, errors.New("not in this test")
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// basicAuth adds a password to each request.
type basicAuth struct {
	user, password string
	next           http.RoundTripper
}

func (b basicAuth) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.SetBasicAuth(b.user, b.password)
	return b.next.RoundTrip(req)
}

func newClient(tb testing.TB, srv *httptest.Server, user, password string) ociregistry.Interface {
	tb.Helper()
	c, err := ociclient.New(strings.TrimPrefix(srv.URL, "http://"), &ociclient.Options{
		Insecure: true, Transport: basicAuth{user, password, srv.Client().Transport},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func (f *fixture) createRepository(tb testing.TB, name, mutability string) {
	tb.Helper()
	if _, err := f.CreateRepository(tb.Context(), model.Repository{Name: name, TagMutability: mutability}); err != nil {
		tb.Fatal(err)
	}
}

// do sends a plain request with a valid token.
func (f *fixture) do(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := f.Token("AKIAROOT")
	req.SetBasicAuth("AWS", password)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp, buf.String()
}
