package local

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/runtime"
)

// serveTasks answers tasks at an address with how the engine knows them, until
// the test ends.
func (b *testBench) serveTasks(at netip.AddrPort) {
	b.t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := netip.MustParseAddrPort(r.RemoteAddr)
		s, known := b.TaskAt(from.Addr())
		_, _ = fmt.Fprintln(w, s.ID, known, s.IP == from.Addr().String(), len(s.Containers)) // the task may have gone
	}))
	_ = srv.Listener.Close()
	var err error
	if srv.Listener, err = net.Listen("tcp4", netip.AddrPortFrom(b.Gateway(), 0).String()); err != nil {
		b.t.Fatal(err)
	}
	srv.Start()
	b.t.Cleanup(srv.Close)
	port := srv.Listener.Addr().(*net.TCPAddr).AddrPort().Port()
	if err := b.OpenPorts([]runtime.Port{{Address: at, Listener: port}}); err != nil {
		b.t.Fatal(err)
	}
	if err := b.SetPolicy(firewall.Policy{Default: "sg-closed"}); err != nil {
		b.t.Fatal(err)
	}
}

// TestTasksReachOpenPorts: from their first moment, whatever their groups; who
// asks is known by its address, also to the server that comes after one that
// was killed.
func TestTasksReachOpenPorts(t *testing.T) {
	b := open(t)
	at := netip.MustParseAddrPort("169.254.170.2:80")
	b.serveTasks(at)
	s := spec("fetch", "http://"+at.String()+"/")
	_, lines := b.output(s)
	if want := s.ID + " true true 1"; !slices.Contains(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
	if _, known := b.TaskAt(netip.MustParseAddr(b.run(spec("idle")).IP)); !known {
		t.Error("a task that runs is not known by its address")
	}
	idle := b.all()
	b.close()
	b.open()
	b.serveTasks(at)
	for _, was := range idle {
		if was.hasEnded() {
			continue
		}
		address := was.rec.Address
		if got, known := b.TaskAt(address); !known || got.ID != was.id || !got.Running {
			t.Errorf("after a restart: got %+v, %v", got, known)
		}
		if err := b.Stop(t.Context(), was.id, 1); err != nil {
			t.Fatal(err)
		}
		if got, known := b.TaskAt(address); known {
			t.Errorf("after its end: got %+v, want %+v", got, model.RunState{})
		}
	}
}
