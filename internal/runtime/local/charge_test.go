package local

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The server's own limits must not pay for the supervisors.
func TestSupervisorsAreOutOfTheServersCgroup(t *testing.T) {
	b := open(t)
	s := spec("idle")
	b.run(s)
	pids := supervisors(b.id, s.ID)
	if len(pids) != 1 {
		t.Fatalf("got supervisors %v, want one", pids)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pids[0]))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for line := range strings.Lines(string(text)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, _ := strings.Cut(rest, ":")
		if controllers != "memory" && controllers != "" {
			continue
		}
		if path == supervisorsPath(b.id) {
			found = true
		} else if controllers == "memory" {
			t.Errorf("its memory is charged to %s", path)
		}
	}
	if !found {
		t.Errorf("it is not in %s:\n%s", supervisorsPath(b.id), text)
	}
}
