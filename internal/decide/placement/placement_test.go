package placement

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestStopOrder(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	candidates := []Candidate{
		{ID: "old and busy", Running: true, Healthy: true, InFlight: 3, CreatedAt: at(1)},
		{ID: "old", Running: true, Healthy: true, InFlight: 1, CreatedAt: at(1)},
		{ID: "young", Running: true, Healthy: true, InFlight: 1, CreatedAt: at(2)},
		{ID: "waiting", Running: true, CreatedAt: at(3)},
		{ID: "starting", CreatedAt: at(4)},
		{ID: "unhealthy", Running: true, Unhealthy: true, InFlight: 9, CreatedAt: at(1)},
	}
	want := []string{"unhealthy", "starting", "waiting", "young", "old", "old and busy"}
	var got []string
	for _, i := range StopOrder(candidates) {
		got = append(got, candidates[i].ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestFargateSize(t *testing.T) {
	tests := []struct {
		cpu, memory int
		want        bool
	}{
		{256, 512, true},
		{256, 1024, true},
		{256, 2048, true},
		{256, 1536, false},
		{256, 4096, false},
		{512, 1024, true},
		{512, 512, false},
		{1024, 8192, true},
		{2048, 16384, true},
		{4096, 30720, true},
		{4096, 31744, false},
		{8192, 20480, true},
		{8192, 17408, false},
		{16384, 122880, true},
		{16384, 32768, true},
		{300, 512, false},
		{0, 0, false},
	}
	for _, tt := range tests {
		if got := FargateSize(tt.cpu, tt.memory); got != tt.want {
			t.Errorf("%d CPU, %d MiB: got %v, want %v", tt.cpu, tt.memory, got, tt.want)
		}
	}
}

func TestFit(t *testing.T) {
	quarter := Size{CPUUnits: 256, MemoryMiB: 512}
	machine := Overcommit(Size{CPUUnits: 2048, MemoryMiB: 24_000}, 10, 1)
	tests := []struct {
		name   string
		want   int
		each   Size
		load   Load
		limits Limits
		n      int
		short  Shortage
	}{
		{"no limits", 1000, quarter, Load{}, Limits{}, 1000, Enough},
		{"20 tasks of 0.25 vCPU on two CPUs", 20, quarter, Load{}, Limits{1000, machine}, 20, Enough},
		{"memory is not overcommitted", 60, quarter, Load{}, Limits{1000, machine}, 46, NoMemory},
		{"15 GB each on 24 GB", 24, Size{2048, 15 * 1024}, Load{}, Limits{1000, machine}, 1, NoMemory},
		{"one that is larger than the machine", 1, Size{2048, 30 * 1024}, Load{}, Limits{1000, machine}, 0, NoMemory},
		{"beside others", 2, quarter, Load{2, Size{512, 23_400}}, Limits{1000, machine}, 1, NoMemory},
		{"CPU", 6, Size{4096, 512}, Load{}, Limits{1000, machine}, 5, NoCPU},
		{"the limit of tasks", 5, quarter, Load{Tasks: 8}, Limits{Tasks: 10}, 2, TooManyTasks},
		{"more there than may be", 5, quarter, Load{Tasks: 12}, Limits{Tasks: 10}, 0, TooManyTasks},
	}
	for _, tt := range tests {
		if n, short := Fit(tt.want, tt.each, tt.load, tt.limits); n != tt.n || short != tt.short {
			t.Errorf("%s: got %d %q, want %d %q", tt.name, n, short, tt.n, tt.short)
		}
	}
}

func TestFitStaysWithinTheLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := func(name string) int { return rapid.IntRange(0, 100).Draw(t, name) }
		want, each := number("want"), Size{number("cpu"), number("memory")}
		load := Load{number("tasks there"), Size{number("cpu there"), number("memory there")}}
		limits := Limits{number("tasks"), Size{number("cpus"), number("memories")}}
		n, short := Fit(want, each, load, limits)
		if n < 0 || n > want || (n < want) != (short != Enough) {
			t.Fatalf("got %d of %d, %q", n, want, short)
		}
		within := func(each, load, limit int) bool { return limit == 0 || n*each == 0 || load+n*each <= limit }
		if !within(1, load.Tasks, limits.Tasks) || !within(each.CPUUnits, load.CPUUnits, limits.CPUUnits) || !within(each.MemoryMiB, load.MemoryMiB, limits.MemoryMiB) {
			t.Fatalf("%d of %+v beside %+v are beyond %+v", n, each, load, limits)
		}
	})
}
