package local

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// TestUsageByContainer: each container's consumption is its own, what goes over
// the network is seen from the task's side.
func TestUsageByContainer(t *testing.T) {
	b := open(t)
	s := spec()
	s.Containers = []model.ContainerSpec{container("busy", "spin"), container("quiet", "serve")}
	s.Containers[1].MemoryMiB = 64
	state := b.run(s)
	var was, now model.TaskUsage
	read := func() (u model.TaskUsage) {
		t.Helper()
		u, ok := b.Usage(s.ID)
		if !ok || len(u.Containers) != 2 || u.Containers[0].Name != "busy" {
			t.Fatalf("got %+v, %v", u, ok)
		}
		return u
	}
	was = read()
	get(t, "http://"+state.IP+":8080/")
	eventually(t, "the busy container to consume more than the quiet one", func() bool {
		now = read()
		return now.Containers[0].CPU-was.Containers[0].CPU > 10*(now.Containers[1].CPU-was.Containers[1].CPU) && now.Containers[1].CPU > 0
	})
	busy, quiet := now.Containers[0], now.Containers[1]
	if busy.MemoryLimit != 128<<20 || quiet.MemoryLimit != 64<<20 {
		t.Errorf("limits %d and %d", busy.MemoryLimit, quiet.MemoryLimit)
	}
	for _, c := range now.Containers {
		if !c.Running || c.Memory == 0 || c.WorkingSet() == 0 || c.WorkingSet() > c.Memory || c.MemoryPeak < c.Memory/2 || len(c.MemoryStat) < 10 || c.Processes < 1 {
			t.Errorf("got %+v", c)
		}
	}
	if now.Network.RxBytes <= was.Network.RxBytes || now.Network.TxPackets <= was.Network.TxPackets {
		t.Errorf("after a request the network has %+v, before %+v", now.Network, was.Network)
	}
	if elapsed := now.At.Sub(was.At); now.CPUs < 1 || now.MachineCPU < was.MachineCPU || now.MachineCPU-was.MachineCPU > 2*time.Duration(now.CPUs)*elapsed+time.Second {
		t.Errorf("in %s the machine's %d CPUs went from %s to %s", elapsed, now.CPUs, was.MachineCPU, now.MachineCPU)
	}
	sent := now.Network.RxBytes
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 20 { // a long head: the task receives more than it sends
		req, err := http.NewRequest(http.MethodGet, "http://"+state.IP+":8080/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Long", strings.Repeat("x", 8000))
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if after := read(); after.Network.RxBytes-sent < 160_000 {
		t.Errorf("the task received %d bytes of 160000 and more", after.Network.RxBytes-sent)
	}
}
