package remote

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asksHub is set in the process that TestProxyOfTheEnvironment starts, as
// net/http reads the environment once.
const asksHub = "NEARGATE_TEST_ASKS_HUB"

func TestProxyOfTheEnvironment(t *testing.T) {
	ref, err := Parse("nginx")
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(asksHub) != "" {
		once := DefaultPatience()
		once.Tries = 1
		c := New(Config{Patience: once})
		defer c.Close()
		_, err := c.Repository(ref, nil).Manifest(t.Context(), "latest")
		t.Fatal(err)
	}
	asked := make(chan string, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked <- req.Method + " " + req.RequestURI
		http.Error(w, "no way through", http.StatusForbidden)
	}))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestProxyOfTheEnvironment$")
	cmd.Env = append(os.Environ(), asksHub+"=1", "HTTPS_PROXY="+u.String(), "NO_PROXY=")
	said, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "failed to resolve ref docker.io/library/nginx:latest: failed to do request") {
		t.Errorf("the pull said %s, %v", said, err)
	}
	select {
	case got := <-asked:
		if got != "CONNECT registry-1.docker.io:443" {
			t.Errorf("the proxy was asked %q", got)
		}
	default:
		t.Errorf("the proxy was not asked; the pull said %s", said)
	}
}
