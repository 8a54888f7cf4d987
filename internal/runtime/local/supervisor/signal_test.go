package supervisor

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestStopSignal(t *testing.T) {
	for text, want := range map[string]unix.Signal{
		"": unix.SIGTERM, "SIGQUIT": unix.SIGQUIT, "quit": unix.SIGQUIT, "9": unix.SIGKILL, "64": 64,
		"SIGRTMIN": 34, "RTMIN+3": 37, "SIGRTMAX": 64, "SIGRTMAX-2": 62,
		"SIGNOTHING": 0, "0": 0, "65": 0, "SIGRTMIN+31": 0, "RTMIN3": 0, "RTMIN-1": 0, "RTMAX+1": 0, "RTMIN+": 0,
	} {
		if got, err := stopSignal(text); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
}
