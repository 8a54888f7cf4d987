package scenario_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDemoInAShortForm runs the demo as a user does, on real containers, and
// looks at what it says, what it leaves for the user and what on the machine.
func TestDemoInAShortForm(t *testing.T) {
	bin := neargate(t)
	before := leftovers(t)
	out := filepath.Join(t.TempDir(), "demo")
	cmd := exec.Command(bin, "demo", "--out", out, "--ramp", "4s", "--hold", "16s", "--max", "6")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Errorf("demo: %v\n%s", err, said.String())
	}
	for _, want := range []string{"pushed ", "running and healthy", "Setting desired count to ", "has started ", "reached a steady state", "peak tasks", "no request failed"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the demo did not say %q:\n%s", want, said.String())
		}
	}
	for name, begin := range map[string]string{
		"report.html": "<!doctype html>", "load-testing.png": "\x89PNG", "events.txt": "20", "metrics.csv": "second,users,",
	} {
		data, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || !strings.HasPrefix(string(data), begin) {
			t.Errorf("%s: %v, begins %q, want %q", name, err, data[:min(len(data), 20)], begin)
		}
	}
	if after := leftovers(t); after != before {
		t.Errorf("left on the machine:\n%s\nbefore:\n%s", after, before)
	}
}

// TestDemoStopsAtOnce interrupts a demo under load.
func TestDemoStopsAtOnce(t *testing.T) {
	before := leftovers(t)
	cmd, said := startDemo(t)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("after Ctrl-C: %v, want exit code 1", err)
	}
	if !strings.Contains(said.String(), "neargate: interrupted") {
		t.Errorf("it said:\n%s", said)
	}
	if after := leftovers(t); after != before {
		t.Errorf("left on the machine:\n%s\nbefore:\n%s", after, before)
	}
}

// TestNextStartCleansUpAfterKill9 kills a demo with tasks running; the next
// server to start, with other data, removes everything of it.
func TestNextStartCleansUpAfterKill9(t *testing.T) {
	before := leftovers(t)
	cmd, _ := startDemo(t)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if leftovers(t) == before {
		t.Fatal("the killed demo left nothing: the test shows nothing")
	}
	s := serve(t, t.TempDir())
	s.stop(syscall.SIGTERM)
	if after := leftovers(t); after != before {
		t.Errorf("left on the machine:\n%s\nbefore:\n%s", after, before)
	}
}

// startDemo starts a demo and returns when its load runs.
func startDemo(t *testing.T) (*exec.Cmd, *syncBuffer) {
	t.Helper()
	said := &syncBuffer{}
	cmd := exec.Command(neargate(t), "demo", "--out", filepath.Join(t.TempDir(), "demo"), "--ramp", "10s", "--hold", "1m")
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	eventually(t, time.Minute, "the demo's load to begin", func() error {
		if !strings.Contains(said.String(), "load begins") {
			return errors.New(said.String())
		}
		return nil
	})
	return cmd, said
}
