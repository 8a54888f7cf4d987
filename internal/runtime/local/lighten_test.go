package local

import (
	"strings"
	"testing"

	"neargate/internal/decide/firewall"
)

func TestNoProgramOnADiskWithoutRoom(t *testing.T) {
	if err := roomFor("/proc"); err == nil || !strings.Contains(err.Error(), "the disk has only 0 MiB left") {
		t.Errorf("got %v of a file system without room", err)
	}
}

func TestConfigIsRefused(t *testing.T) {
	err := Config{DataDir: "data", Reach: "moon"}.Validate()
	if err == nil || !strings.Contains(err.Error(), `DataDir "data" is not absolute`) || !strings.Contains(err.Error(), "reach of tasks") {
		t.Errorf("got %v, want both faults", err)
	}
	if err := (Config{DataDir: "/data", Reach: firewall.ReachNone}).Validate(); err != nil {
		t.Error(err)
	}
}
