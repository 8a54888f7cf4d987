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

func TestRoomStaysWithinTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, running, limit := rapid.IntRange(0, 100).Draw(t, "want"), rapid.IntRange(0, 100).Draw(t, "running"), rapid.IntRange(0, 100).Draw(t, "limit")
		got := Room(want, running, limit)
		if got < 0 || got > want {
			t.Fatalf("got %d of %d", got, want)
		}
		if limit > 0 && got > 0 && running+got > limit {
			t.Fatalf("got %d with %d running, limit %d", got, running, limit)
		}
		if limit == 0 && got != want {
			t.Fatalf("got %d without a limit, want %d", got, want)
		}
	})
}
