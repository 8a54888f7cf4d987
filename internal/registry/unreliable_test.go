package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
)

// fault may answer a request in a registry's stead, and reports whether it has.
type fault func(w http.ResponseWriter, req *http.Request, good http.Handler) bool

// unreliable stands between a client and a registry.
type unreliable struct {
	*httptest.Server
	host  string
	fault atomic.Value // of type fault
}

// be has it do wrong from now on; nil: be the registry.
func (u *unreliable) be(f fault) { u.fault.Store(f) }

// newUnreliable puts one before a registry; the client's password is taken for
// granted.
func newUnreliable(t *testing.T, to other, f fault) *unreliable {
	t.Helper()
	u := &unreliable{}
	u.be(f)
	good := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.SetBasicAuth(to.cred.Username, to.cred.Password)
		to.Handler().ServeHTTP(w, req)
	})
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if f, _ := u.fault.Load().(fault); f == nil || !f(w, req, good) {
			good.ServeHTTP(w, req)
		}
	}))
	t.Cleanup(u.Close)
	u.host = strings.TrimPrefix(u.URL, "http://")
	return u
}

// kindOf is the part of the protocol that a request is about: "manifests",
// "blobs", or "" for the rest.
func kindOf(req *http.Request) string {
	parts := strings.Split(req.URL.Path, "/")
	if len(parts) < 4 {
		return ""
	}
	return parts[len(parts)-2]
}

// rewritten answers as the registry would, with another body or other headers.
func rewritten(w http.ResponseWriter, req *http.Request, good http.Handler, change func(http.Header, []byte) []byte) {
	rec := httptest.NewRecorder()
	good.ServeHTTP(rec, req)
	body := change(rec.Header(), rec.Body.Bytes())
	maps.Copy(w.Header(), rec.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(rec.Code)
	_, _ = w.Write(body)
}

// breakOff ends an answer in its midst.
func breakOff(http.ResponseWriter) { panic(http.ErrAbortHandler) }

// noise is what no compression makes small.
func noise(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return string(out)
}

func TestPullsThatFailEndInOneClearError(t *testing.T) {
	needsRoot(t)
	there := newOther(t, "app")
	there.pushImage(t, "app", "v1", []blob{gzipped(t, entries(t, file("noise", noise(300_000))))}, nil)
	html := func(w http.ResponseWriter, status int) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html><body>Please sign in to <b>Guest WiFi</b></body></html>")
	}
	only := func(kind string, do http.HandlerFunc) fault {
		return func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
			if kindOf(req) == kind {
				do(w, req)
			}
			return kindOf(req) == kind
		}
	}
	lies := func(kind string, change func(http.Header, []byte) []byte) fault {
		return func(w http.ResponseWriter, req *http.Request, good http.Handler) bool {
			if kindOf(req) == kind {
				rewritten(w, req, good, change)
			}
			return kindOf(req) == kind
		}
	}
	for _, row := range []struct {
		name  string
		fault fault
		want  string // the beginning of the message, with HOST for the registry's
	}{
		{"redirects for ever", func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
			http.Redirect(w, req, req.URL.Path+"?again", http.StatusTemporaryRedirect)
			return true
		}, `pull image manifest has been retried 1 time(s): failed to resolve ref HOST/app:v1: failed to do request: Get "http://HOST/v2/app/manifests/v1": stopped after 10 redirects`},
		{"redirects to plain HTTP elsewhere", only("blobs", func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "http://169.254.169.254/latest/meta-data/", http.StatusTemporaryRedirect)
		}), `ref pull has been retried 1 time(s)`},
		{
			"another manifest than its digest", lies("manifests", func(_ http.Header, b []byte) []byte { return append(b, ' ') }),
			"pull image manifest has been retried 1 time(s): failed to resolve ref HOST/app:v1: unexpected commit digest sha256:",
		},
		{
			"another blob than its digest", lies("blobs", func(_ http.Header, b []byte) []byte { b[len(b)/2] ^= 1; return b }),
			`ref pull has been retried 1 time(s): failed to copy: failed commit on ref "layer-sha256:`,
		},
		{
			"a longer blob", lies("blobs", func(_ http.Header, b []byte) []byte { return append(b, 'x') }),
			"ref pull has been retried 1 time(s): failed to copy: blob sha256:",
		},
		{
			"a shorter blob", lies("blobs", func(_ http.Header, b []byte) []byte { return b[:len(b)-1] }),
			"ref pull has been retried",
		},
		{"429 without end", only("manifests", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}`)
		}), "pull image manifest has been retried 2 time(s): failed to resolve ref HOST/app:v1: unexpected status code http://HOST/v2/app/manifests/v1: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit."},
		{"429 for an hour", only("blobs", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		}), "ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: unexpected status code http://HOST/v2/app/blobs/sha256:"},
		{
			"HTML for a manifest", only("manifests", func(w http.ResponseWriter, _ *http.Request) { html(w, http.StatusOK) }),
			"pull image manifest has been retried 1 time(s): failed to resolve ref HOST/app:v1: unexpected media type text/html; charset=utf-8 for sha256:",
		},
		{
			"HTML for a blob", only("blobs", func(w http.ResponseWriter, _ *http.Request) { html(w, http.StatusOK) }),
			"ref pull has been retried 1 time(s): failed to copy: unexpected media type text/html; charset=utf-8 for sha256:",
		},
		{
			"HTML with 503", only("manifests", func(w http.ResponseWriter, _ *http.Request) { html(w, http.StatusServiceUnavailable) }),
			"pull image manifest has been retried 2 time(s): failed to resolve ref HOST/app:v1: unexpected status code http://HOST/v2/app/manifests/v1: 503 Service Unavailable",
		},
		{"forbidden", only("manifests", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"errors":[{"code":"DENIED","message":"requested access\nto the resource is denied"}]}`)
		}), "pull image manifest has been retried 1 time(s): failed to resolve ref HOST/app:v1: pull access denied, repository does not exist or may require authorization: server message: denied: requested access to the resource is denied"},
		{"a manifest without end", only("manifests", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}), "pull image manifest has been retried 1 time(s): failed to resolve ref HOST/app:v1: the manifest is larger than"},
		{"a manifest cut off each time", only("manifests", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("{"))
			w.(http.Flusher).Flush()
			breakOff(w)
		}), "pull image manifest has been retried 2 time(s): failed to resolve ref HOST/app:v1: read manifest: unexpected EOF"},
		{
			"no answer", only("manifests", func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }),
			`pull image manifest has been retried 2 time(s): failed to resolve ref HOST/app:v1: failed to do request: Get "http://HOST/v2/app/manifests/v1": `,
		},
		{"a blob that stops", only("blobs", func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			<-req.Context().Done()
		}), "ref pull has been retried 2 time(s): failed to copy: httpReadSeeker: failed after"},
		{"the wrong part", func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
			if kindOf(req) != "blobs" {
				return false
			}
			w.Header().Set("Content-Range", "bytes 7-9/10")
			w.WriteHeader(http.StatusPartialContent)
			return true
		}, "ref pull has been retried"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			here := newFixture(t)
			here.set = func(c *Config) {
				c.Remote.Patience.Header, c.Remote.Patience.Stall = 300*time.Millisecond, 300*time.Millisecond
			}
			here.reopen(t)
			u := newUnreliable(t, there, row.fault)
			_, _, err := here.Unpack(t.Context(), u.host+"/app:v1", nil, "")
			e, ok := errors.AsType[*model.Error](err)
			if want := strings.ReplaceAll(row.want, "HOST", u.host); !ok || e.Code != "CannotPullContainerError" || !strings.HasPrefix(e.Msg, want) {
				t.Fatalf("Unpack = %v\nwant CannotPullContainerError: %s…", err, want)
			}
			if strings.ContainsAny(e.Msg, "\n\r") || len(e.Msg) > 1000 || strings.Contains(e.Msg, "<html") {
				t.Errorf("the message is no line for an event: %q", e.Msg)
			}
			u.be(nil) // the registry is mended: nothing of the failure is in the way
			if got := here.contentOf(t, u.host+"/app:v1", nil, "noise"); got != noise(300_000) {
				t.Error("the image that came after all is another one")
			}
		})
	}
}

// A registry that is overrun says when to come again.
func TestPullWaitsAsLongAsTheRegistryAsks(t *testing.T) {
	there, here := newOther(t, "app"), newFixture(t)
	there.pushImage(t, "app", "v1", []blob{plain(entries(t, file("a", "1")))}, nil)
	var asked atomic.Int64
	u := newUnreliable(t, there, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		if asked.Add(1) > 1 {
			return false
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	began := time.Now()
	if _, err := here.Resolve(t.Context(), u.host+"/app:v1", nil, ""); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("asked again after %v, want a second or more", took)
	}
}

// What was cut is asked for from there on.
func TestPullGoesOnAfterCuts(t *testing.T) {
	needsRoot(t)
	there := newOther(t, "app")
	there.pushImage(t, "app", "v1", []blob{gzipped(t, entries(t, file("noise", noise(600_000))))}, nil)
	for _, row := range []struct {
		name   string
		ranges bool // the registry obeys Range
	}{{"with ranges", true}, {"without ranges", false}} {
		t.Run(row.name, func(t *testing.T) {
			here := newFixture(t)
			here.set = func(c *Config) { c.Remote.Patience.Tries = 20 }
			here.reopen(t)
			var cuts, sent atomic.Int64
			u := newUnreliable(t, there, func(w http.ResponseWriter, req *http.Request, good http.Handler) bool {
				if kindOf(req) != "blobs" {
					return false
				}
				if !row.ranges {
					req.Header.Del("Range")
				}
				rec := httptest.NewRecorder()
				good.ServeHTTP(rec, req)
				body, part := rec.Body.Bytes(), 100_000*int(cuts.Add(1))
				if row.ranges {
					part = 100_000
				}
				maps.Copy(w.Header(), rec.Header())
				w.WriteHeader(rec.Code)
				n, _ := w.Write(body[:min(part, len(body))])
				sent.Add(int64(n))
				if n < len(body) {
					breakOff(w)
				}
				return true
			})
			if got := here.contentOf(t, u.host+"/app:v1", nil, "noise"); got != noise(600_000) {
				t.Error("another content arrived")
			}
			if row.ranges && sent.Load() > 700_000 {
				t.Errorf("%d bytes were sent of a blob of 600,000", sent.Load())
			}
			if left := names(t, here.path("tmp")); len(left) != 0 {
				t.Errorf("temporary files: %v", left)
			}
		})
	}
}

// A task that is stopped leaves what has come to the next one.
func TestPullLeavesWhatHasComeToTheNext(t *testing.T) {
	needsRoot(t)
	there, here := newOther(t, "app"), newFixture(t)
	there.pushImage(t, "app", "v1", []blob{gzipped(t, entries(t, file("noise", noise(600_000))))}, nil)
	var from []string
	u := newUnreliable(t, there, func(w http.ResponseWriter, req *http.Request, good http.Handler) bool {
		if kindOf(req) != "blobs" {
			return false
		}
		from = append(from, req.Header.Get("Range"))
		if len(from) > 3 { // the config, and two tries
			return false
		}
		if len(from) == 1 {
			return false
		}
		w.Header().Set("Content-Length", "600000")
		rewritten(&truncating{w, 200_000}, req, good, func(_ http.Header, b []byte) []byte { return b })
		return true
	})
	if _, _, err := here.Unpack(t.Context(), u.host+"/app:v1", nil, ""); err == nil {
		t.Fatal("the pull succeeded")
	}
	if got := here.contentOf(t, u.host+"/app:v1", nil, "noise"); got != noise(600_000) {
		t.Error("another content arrived")
	}
	if last := from[len(from)-1]; last == "" {
		t.Errorf("the second pull began anew: %q", from)
	}
}

// truncating breaks an answer off after some bytes.
type truncating struct {
	http.ResponseWriter
	left int
}

func (t *truncating) Write(p []byte) (int, error) {
	n, _ := t.ResponseWriter.Write(p[:min(len(p), t.left)])
	t.ResponseWriter.(http.Flusher).Flush()
	if t.left -= n; t.left == 0 {
		breakOff(t.ResponseWriter)
	}
	return n, nil
}

// Registries that hang hold up nobody but those who want something of them.
func TestPullsThatHangHoldUpNobody(t *testing.T) {
	needsRoot(t)
	there, here := newOther(t, "app"), newFixture(t)
	there.pushImage(t, "app", "v1", []blob{gzipped(t, entries(t, file("a", "1")))}, nil)
	dead := newUnreliable(t, there, func(_ http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		<-req.Context().Done()
		return true
	})
	here.set = func(c *Config) { c.Remote.Patience.Header = time.Hour }
	here.reopen(t)
	var waiting sync.WaitGroup
	stop := make([]func(), 50)
	for i := range stop {
		ctx, cancel := context.WithCancel(t.Context())
		stop[i] = cancel
		waiting.Go(func() {
			if _, _, err := here.Unpack(ctx, fmt.Sprintf("%s/app:v%d", dead.host, i), nil, ""); err == nil {
				t.Error("a registry that hangs gave an image")
			}
		})
	}
	if got := here.contentOf(t, there.host+"/app:v1", there.cred, "a"); got != "1" {
		t.Errorf("the image holds %q", got)
	}
	for _, cancel := range stop {
		cancel()
	}
	waiting.Wait()
}

// Docker's way to a token: the registry names a server, which wants the password.
func TestPullByToken(t *testing.T) {
	needsRoot(t)
	there, here := newOther(t, "team/app"), newFixture(t)
	there.pushImage(t, "team/app", "v1", []blob{gzipped(t, entries(t, file("a", "1")))}, nil)
	u := newUnreliable(t, there, nil)
	var tokens []string
	answer := func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"token": "good", "expires_in": 300})
	}
	realm := u.URL + "/token"
	u.be(func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if req.URL.Path == "/token" {
			user, password, _ := req.BasicAuth()
			tokens = append(tokens, user+":"+password+" "+req.URL.Query().Get("service")+" "+req.URL.Query().Get("scope"))
			answer(w, req)
			return true
		}
		if req.Header.Get("Authorization") == "Bearer good" {
			return false
		}
		w.Header().Set("Www-Authenticate", `Bearer realm="`+realm+`",service="registry.test",scope="repository:team/app:pull"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	cred := &model.Credential{Username: "me", Password: "s3cret"}
	if got := here.contentOf(t, u.host+"/team/app:v1", cred, "a"); got != "1" {
		t.Errorf("the image holds %q", got)
	}
	if want := "me:s3cret registry.test repository:team/app:pull"; len(tokens) != 1 || tokens[0] != want {
		t.Errorf("the token server was asked %q, want once %q", tokens, want)
	}
	for _, row := range []struct {
		name, realm string
		answer      http.HandlerFunc
		want        string
	}{
		{"a token server elsewhere without TLS", "http://169.254.169.254/token", answer, "plain HTTP is spoken on loopback only"},
		{"a token without end", u.URL + "/token", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"token":"`)
			for {
				if _, err := w.Write([]byte(strings.Repeat("x", 1<<20))); err != nil {
					return
				}
			}
		}, "failed to resolve ref"},
		{"a refusal", u.URL + "/token", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "failed to resolve ref"},
	} {
		t.Run(row.name, func(t *testing.T) {
			realm, answer = row.realm, row.answer
			_, err := here.Resolve(t.Context(), u.host+"/team/app:v2", cred, "")
			if e, ok := errors.AsType[*model.Error](err); !ok || !strings.Contains(e.Msg, row.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("Resolve = %v, want %q and no password", err, row.want)
			}
		})
	}
}
