package supervisor

import (
	"os"
	"os/exec"
	"sync"
	"testing"
)

// TestWaitingTakesNoThread: many children are waited for at once, and each is
// still there to be waited for when it has ended.
func TestWaitingTakesNoThread(t *testing.T) {
	const children = 100
	threads := func() int {
		entries, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := threads()
	var begun, over sync.WaitGroup
	var all []*exec.Cmd
	for range children {
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
		begun.Add(1)
		over.Go(func() {
			begun.Done()
			if err := ended(cmd.Process.Pid); err != nil {
				t.Error(err)
			}
		})
	}
	begun.Wait()
	if now := threads(); now > before+children/2 {
		t.Errorf("%d threads wait for %d children", now-before, children)
	}
	for _, cmd := range all {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	}
	over.Wait()
	if now := threads(); now > before+children/2 {
		t.Errorf("%d threads waited for %d children", now-before, children)
	}
	for _, cmd := range all {
		if _, err := cmd.Process.Wait(); err != nil || cmd.Process.Pid == 0 {
			t.Errorf("wait for %d: %v", cmd.Process.Pid, err)
		}
	}
	if err := ended(all[0].Process.Pid); err == nil {
		t.Error("a process that is gone is waited for")
	}
}
