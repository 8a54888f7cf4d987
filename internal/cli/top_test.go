package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"neargate/internal/console"
)

// measured is a server that has a service of two tasks, of which one is still
// starting, and a task of no service. Each second of its clock, which goes on
// with each question, the first container uses a quarter of a CPU.
func measured(t *testing.T) string {
	t.Helper()
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != console.UsagePath || r.URL.Query().Get("cluster") != "shop" {
			http.Error(w, "no", http.StatusTeapot)
			return
		}
		n := asked.Add(1)
		at := time.Date(2026, 3, 1, 12, 0, int(n), 0, time.UTC)
		_ = json.NewEncoder(w).Encode(console.Usage{
			At:       at,
			Services: []console.ServiceUsage{{Cluster: "shop", Service: "web", Desired: 2, Balanced: true, Requests: uint64(100 * n)}},
			Tasks: []console.TaskUsage{
				{Cluster: "shop", Group: "family:job", Task: "0123456789abcdef", Status: "RUNNING", CPUUnits: 1024, MemoryMiB: 2048, At: at, Containers: []console.ContainerUsage{{Container: "job"}}},
				{Cluster: "shop", Service: "web", Group: "service:web", Task: "aaaaaaaaaaaaaaaa", Status: "RUNNING", CPUUnits: 512, MemoryMiB: 1024, At: at, RxBytes: uint64(n) * 2048, TxBytes: 7, Containers: []console.ContainerUsage{
					{Container: "app", CPU: time.Duration(n) * time.Second / 4, Memory: 100 << 20, MemoryLimit: 1 << 30},
					{Container: "side", Memory: 28 << 20, MemoryLimit: 1 << 30},
				}},
				{Cluster: "shop", Service: "web", Group: "service:web", Task: "bbbbbbbbbbbbbbbb", Status: "PENDING", CPUUnits: 512, MemoryMiB: 1024, Containers: []console.ContainerUsage{}},
			},
		})
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestTop(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", measured(t))
	var out, errOut strings.Builder
	if code := Main([]string{"top", "--once", "--every", "100ms", "--cluster", "shop"}, &out, &errOut); code != exitDone {
		t.Fatalf("exit %d: %s", code, &errOut)
	}
	var got []string
	for l := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(l), " "))
	}
	want := []string{
		"", "SERVICE / TASK / CONTAINER STATUS CPU % MEMORY OF IN/s OUT/s REQ/s",
		"shop/web 1 of 2 25.0 128 MiB 2.0 GiB 2 KiB 0 B 100.0",
		"aaaaaaaa running 50.0 128 MiB 1.0 GiB 2 KiB 0 B",
		"app 50.0 100 MiB 1.0 GiB",
		"side 0.0 28 MiB 1.0 GiB",
		"bbbbbbbb pending 0.0 0 B 1.0 GiB",
		"shop/family:job 01234567 running 0.0 0 B 2.0 GiB 0 B 0 B",
		"job 0.0 0 B 0 B",
	}
	if fmt.Sprint(got[1:]) != fmt.Sprint(want) || !strings.Contains(got[0], "services 1 tasks 3 containers 3") {
		t.Errorf("got\n%s\nwant\n%s", out.String(), strings.Join(want, "\n"))
	}
}

func TestTopOfNoServer(t *testing.T) {
	for name, row := range map[string]struct {
		args []string
		code int
		want string
	}{
		"another server":   {[]string{"top", "--once", "--cluster", "other"}, exitFailed, "is no neargate that measures (418 I'm a teapot)\nhint: name the server's directory with --data"},
		"no server":        {[]string{"top", "--once", "--data", t.TempDir()}, exitFailed, "hint:"},
		"an argument":      {[]string{"top", "web"}, exitMisuse, "top takes no argument"},
		"too often for it": {[]string{"top", "--every", "1ms"}, exitMisuse, "--every 1ms: want at least 100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_ENDPOINT_URL", measured(t))
			var out, errOut strings.Builder
			if code := Main(row.args, &out, &errOut); code != row.code || !strings.Contains(errOut.String(), row.want) || out.Len() > 0 {
				t.Errorf("exit %d, want %d: %s%s", code, row.code, &errOut, &out)
			}
		})
	}
}
