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

// TestProgramLiesBesideTheTasks: an overlay of two directories of which one lies
// in the other is refused by the kernel.
func TestProgramLiesBesideTheTasks(t *testing.T) {
	e := &Engine{cfg: Config{DataDir: "/data"}}
	program, tasks := programDir("/data")+"/", e.tasksDir()+"/"
	if strings.HasPrefix(tasks, program) || strings.HasPrefix(program, tasks) {
		t.Errorf("the program lies in %s, tasks lie in %s", program, tasks)
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
