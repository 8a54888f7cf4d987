package balancer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"neargate/internal/model"
)

// keyServer publishes keys over HTTPS, as an issuer does.
type keyServer struct {
	*httptest.Server
	asked  atomic.Int64
	broken atomic.Bool
	hold   atomic.Pointer[chan struct{}] // if set, answers wait for it to close

	mu   sync.Mutex
	keys map[string]*rsa.PrivateKey
}

func newKeyServer(t *testing.T, s *shelf) *keyServer {
	t.Helper()
	k := &keyServer{keys: map[string]*rsa.PrivateKey{}}
	k.Server = httptest.NewUnstartedServer(http.HandlerFunc(k.answer))
	k.Config.ErrorLog = nil
	k.TLS = &tls.Config{Certificates: []tls.Certificate{*s.issue("127.0.0.1")}, MinVersion: tls.VersionTLS12}
	k.StartTLS()
	t.Cleanup(k.Close)
	return k
}

// issue returns a certificate of the shelf's authority.
func (s *shelf) issue(names ...string) *tls.Certificate {
	s.t.Helper()
	pair, err := s.Certificate(s.put("of "+names[0], names...))
	if err != nil {
		s.t.Fatal(err)
	}
	return pair
}

// roots are whom clients of the authority trust.
func (s *shelf) roots() (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.Root())
	return pool, nil
}

func (k *keyServer) answer(w http.ResponseWriter, r *http.Request) {
	k.asked.Add(1)
	if c := k.hold.Load(); c != nil {
		select {
		case <-*c:
		case <-r.Context().Done():
		}
	}
	if k.broken.Load() {
		http.Error(w, "broken", http.StatusInternalServerError)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []string
	for id, key := range k.keys {
		n := base64.RawURLEncoding.EncodeToString(key.N.Bytes())
		all = append(all, fmt.Sprintf(`{"kty":"RSA","kid":%q,"n":%q,"e":"AQAB"}`, id, n))
	}
	_, _ = io.WriteString(w, `{"keys":[`+strings.Join(all, ",")+`]}`)
}

// add makes a key with an id.
func (k *keyServer) add(t *testing.T, id string) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[id] = key
	return key
}

// sign returns a token of claims.
func sign(t *testing.T, key *rsa.PrivateKey, id string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	text := enc([]byte(`{"alg":"RS256","kid":"`+id+`"}`)) + "." + enc(payload)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + enc(signature)
}

// tokens is a listener of HTTPS that wants tokens, and its issuer.
type tokens struct {
	*rig
	issuer *keyServer
	client *http.Client
	port   int
	target *backend
}

func startTokens(t *testing.T, claims ...model.JWTClaim) *tokens {
	t.Helper()
	s := newShelf(t)
	x := &tokens{issuer: newKeyServer(t, s), port: freePort(t), target: serve(t, "shop")}
	x.rig = start(t, Config{Certificates: s, Roots: s.roots})
	tg := x.targetGroup("web", nil)
	x.secured(x.loadBalancer("web"), x.port, append([]model.Action{{
		Type: "jwt-validation", Order: 1, JWT: &model.JWTValidation{JWKSEndpoint: x.issuer.URL, Issuer: "https://id.test", Claims: claims},
	}}, forward(tg.ARN)...), s.put("cert", "shop.test"))
	x.register(tg, x.target)
	x.await(tg, "healthy", x.target)
	x.client = s.client(x.port)
	return x
}

// ask asks with a header of authorization, and returns the status and the body.
func (x *tokens) ask(authorization ...string) (int, string) {
	x.t.Helper()
	req, err := http.NewRequestWithContext(x.t.Context(), http.MethodPost, "https://shop.test:"+strconv.Itoa(x.port)+"/", strings.NewReader("body"))
	if err != nil {
		x.t.Fatal(err)
	}
	req.Header["Authorization"] = authorization
	resp, err := x.client.Do(req)
	if err != nil {
		x.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		x.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func good() map[string]any {
	return map[string]any{"iss": "https://id.test", "exp": time.Now().Add(time.Minute).Unix(), "scope": "read write"}
}

func TestTokensLetIn(t *testing.T) {
	x := startTokens(t, model.JWTClaim{Format: "space-separated-values", Name: "scope", Values: []string{"write"}})
	key := x.issuer.add(t, "k1")
	expired, narrow := good(), good()
	expired["exp"], narrow["scope"] = time.Now().Unix()-1, "read"
	valid := "Bearer " + sign(t, key, "k1", good())
	for _, tc := range []struct {
		name          string
		authorization []string
		status        int
	}{
		{"good", []string{valid}, 200},
		{"the scheme in another case", []string{"bearer" + valid[6:]}, 200},
		{"no header", nil, 401},
		{"two headers", []string{valid, valid}, 401},
		{"another scheme", []string{"Basic " + valid[7:]}, 401},
		{"expired", []string{"Bearer " + sign(t, key, "k1", expired)}, 401},
		{"without what it must have", []string{"Bearer " + sign(t, key, "k1", narrow)}, 401},
		{"changed", []string{valid[:len(valid)-8] + "AAAAAAAA"}, 401},
	} {
		if got, body := x.ask(tc.authorization...); got != tc.status || got == 200 && body != "shop" {
			t.Errorf("%s: got %d %q, want %d", tc.name, got, body, tc.status)
		}
	}
	if served, asked := x.target.served.Load(), x.issuer.asked.Load(); served != 2 || asked != 1 {
		t.Errorf("the target got %d requests and the issuer %d, want 2 and 1", served, asked)
	}
}

func TestIssuerThatFails(t *testing.T) {
	x := startTokens(t)
	key := x.issuer.add(t, "k1")
	x.issuer.broken.Store(true)
	for range 3 {
		if got, _ := x.ask("Bearer " + sign(t, key, "k1", good())); got != 500 {
			t.Errorf("got %d, want 500", got)
		}
	}
	if asked := x.issuer.asked.Load(); asked != 1 {
		t.Errorf("the issuer was asked %d times, want once in a while", asked)
	}
}

// TestServerEndsWhileIssuerIsSilent leaves nobody waiting.
func TestServerEndsWhileIssuerIsSilent(t *testing.T) {
	x := startTokens(t)
	key := x.issuer.add(t, "k1")
	hold := make(chan struct{})
	defer close(hold)
	x.issuer.hold.Store(&hold)
	done := make(chan struct{})
	go func() {
		defer close(done)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://shop.test:"+strconv.Itoa(x.port)+"/", http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+sign(t, key, "k1", good()))
		if resp, err := x.client.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				t.Error("let in without keys")
			}
		}
	}()
	eventually(t, "the issuer is asked", func() bool { return x.issuer.asked.Load() == 1 })
	x.stop()
	<-done
}
