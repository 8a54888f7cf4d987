package scenario_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// supervisorKiB is what a task's supervisor may take of memory for itself.
const supervisorKiB = 4 << 10

// TestSupervisorsAreSmall measures the supervisors of running tasks, which are
// this program but do without most of it.
func TestSupervisorsAreSmall(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	defer destroy(t, s, c)
	c.define("web", c.pushApp(), nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	s.awaitProgram()
	group, _ := c.balance("web") // healthy tasks mind their stop signal
	c.service("web", "web", 4, group)
	c.stable("web")
	tasks, err := filepath.Glob(filepath.Join(s.data, "runtime/tasks/*"))
	if err != nil || len(tasks) != 4 {
		t.Fatalf("got tasks %v, %v, want 4", tasks, err)
	}
	for _, dir := range tasks {
		if got := privateKiB(t, filepath.Base(dir)); got > supervisorKiB {
			t.Errorf("a supervisor has %d KiB for itself, want at most %d", got, supervisorKiB)
		} else {
			t.Logf("%d KiB", got)
		}
	}
}

// awaitProgram waits until supervisors run the program that does without most.
func (s *server) awaitProgram() {
	s.t.Helper()
	eventually(s.t, 20*time.Second, "the supervisors' program", func() error {
		found, _ := filepath.Glob(filepath.Join(s.data, "runtime/program/program-*"))
		if len(found) != 1 || strings.HasSuffix(found[0], ".new") {
			return fmt.Errorf("found %v", found)
		}
		return nil
	})
}

// anonymousKiB is what a process has that is in no file.
func anonymousKiB(t *testing.T, pid int) int {
	t.Helper()
	text := must[[]byte](t)(os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid)))
	_, after, _ := strings.Cut(string(text), "Anonymous:")
	var n int
	must[int](t)(fmt.Sscanf(after, "%d", &n))
	return n
}

// privateKiB is what a task's supervisor shares with no other process.
func privateKiB(t *testing.T, task string) int {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		args, err := os.ReadFile(filepath.Join(p, "cmdline"))
		if err != nil || !strings.Contains(string(args), "\x00"+task+"\x00") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(p, "smaps_rollup"))
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for line := range strings.Lines(string(text)) {
			var n int
			for _, key := range []string{"Private_Clean:", "Private_Dirty:"} {
				if _, err := fmt.Sscanf(line, key+"%d", &n); err == nil {
					sum += n
				}
			}
		}
		return sum
	}
	t.Fatalf("no process of task %s", task)
	return 0
}
