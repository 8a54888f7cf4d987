package http2

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"neargate/internal/balancer/exchange"
)

// peer builds a program that test/peers names, and returns its path.
func peer(t *testing.T, pkg string) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+"/", pkg)
	build.Dir, build.Env = filepath.Join("..", "..", "..", "test", "peers"), append(os.Environ(), "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("%s was not built, which needs its module: %v\n%s", pkg, err, out)
	}
	return filepath.Join(dir, filepath.Base(pkg))
}

// h2spec's cases, RFC 7540 and 7541, all of them.
func TestServerSpec(t *testing.T) {
	h2spec := peer(t, "github.com/summerwind/h2spec/cmd/h2spec")
	w := newWorld(t, exchange.DefaultSettings())
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(rw, "hello")
	}))
	host, port, _ := net.SplitHostPort(w.addr)
	out, err := exec.Command(h2spec, "--host", host, "--port", port, "--timeout", "5").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
