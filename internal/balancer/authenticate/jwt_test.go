package authenticate

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/authentication"
	"neargate/internal/model"
)

// desk is an Authenticator with a clock of its own, and an endpoint of keys.
type desk struct {
	*Authenticator
	t      *testing.T
	server *httptest.Server
	now    atomic.Int64 // seconds
	asked  atomic.Int64
	set    atomic.Pointer[string] // what the endpoint answers; nil: 500
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t}
	d.now.Store(1_800_000_000)
	d.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		d.asked.Add(1)
		doc := d.set.Load()
		if doc == nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, *doc)
	}))
	var wg sync.WaitGroup
	t.Cleanup(func() {
		wg.Wait()
		d.server.Close()
	})
	roots := x509.NewCertPool()
	roots.AddCert(d.server.Certificate())
	d.Authenticator = New(Config{
		Roots: func() (*x509.CertPool, error) { return roots, nil }, Now: func() time.Time { return time.Unix(d.now.Load(), 0) },
		Spawn: func(f func(context.Context)) { wg.Go(func() { f(context.Background()) }) },
	})
	return d
}

func (d *desk) publish(keys ...string) {
	doc := `{"keys":[` + strings.Join(keys, ",") + `]}`
	d.set.Store(&doc)
}

// check takes a token through everything, and waits until nobody asks for keys any
// more.
func (d *desk) check(j *JWT, token string) authentication.Reason {
	r := &exchange.Request{Fields: []exchange.Field{{Name: "authorization", Value: "Bearer " + token}}}
	res := j.Check(r)
	if res.Ask != nil {
		res = res.Ask(d.t.Context())
	}
	j.keys.mu.Lock()
	running := j.keys.running
	j.keys.mu.Unlock()
	if running != nil {
		<-running
	}
	if res.Answer == nil {
		return ""
	}
	return authentication.Reason(res.Answer.Reason)
}

func TestKeysOfIssuerOverTime(t *testing.T) {
	d, old, next := newDesk(t), newIssuer(t, 2048), newIssuer(t, 2048)
	j := d.JWT(model.JWTValidation{JWKSEndpoint: d.server.URL, Issuer: "i"})
	token := func(i issuer, id string) string {
		return i.sign(t, fmt.Sprintf(`{"alg":"RS256","kid":%q}`, id), `{"iss":"i","exp":1900000000}`)
	}
	steps := []struct {
		name   string
		wait   time.Duration
		before func()
		token  string
		reason authentication.Reason
	}{
		{"nothing has come", 0, func() {}, token(old, "old"), authentication.KeysFailed},
		{"asked again too soon", time.Second, func() { d.publish(old.jwk("old", "")) }, token(old, "old"), authentication.KeysFailed},
		{"asked again", keysPause, func() {}, token(old, "old"), ""},
		{"old keys while the issuer fails", 2 * keysFresh, func() { d.set.Store(nil) }, token(old, "old"), ""},
		{"a new key", keysPause, func() { d.publish(old.jwk("old", ""), next.jwk("next", "")) }, token(next, "next"), ""},
		{"the old key beside it", 0, func() {}, token(old, "old"), ""},
		{"an unknown key", keysPause, func() {}, token(next, "unknown"), authentication.SignatureWrong},
		{"too many keys", keysPause, func() { d.publish(strings.Split(strings.Repeat("{} ", 11), " ")[:11]...) }, token(next, "unknown"), authentication.SignatureWrong},
		{"those of before", 0, func() {}, token(next, "next"), ""},
	}
	for _, s := range steps {
		s.before()
		d.now.Add(int64(s.wait / time.Second))
		if got := d.check(j, s.token); got != s.reason {
			t.Errorf("%s: got %q, want %q", s.name, got, s.reason)
		}
	}
	before := d.asked.Load()
	for range 50 {
		d.check(j, token(next, "unknown"))
	}
	if n := d.asked.Load() - before; n != 0 {
		t.Errorf("asked %d times for keys that are not there", n)
	}
}

// TestOneFetchForAll has many requests that wait for the same keys ask once.
func TestOneFetchForAll(t *testing.T) {
	d, i := newDesk(t), newIssuer(t, 2048)
	d.publish(i.jwk("k", ""))
	j := d.JWT(model.JWTValidation{JWKSEndpoint: d.server.URL, Issuer: "i"})
	token := i.sign(t, `{"alg":"RS256","kid":"k"}`, `{"iss":"i","exp":1900000000}`)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if got := d.check(j, token); got != "" {
				t.Errorf("got %q", got)
			}
		})
	}
	wg.Wait()
	if n := d.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestForgottenEndpoint(t *testing.T) {
	d := newDesk(t)
	d.JWT(model.JWTValidation{JWKSEndpoint: "https://a.test"})
	d.JWT(model.JWTValidation{JWKSEndpoint: "https://b.test"})
	d.Forget(func(endpoint string) bool { return endpoint == "https://b.test" })
	if len(d.sets) != 1 || d.sets["https://b.test"] == nil {
		t.Errorf("kept %v", d.sets)
	}
}
