package scenario_test

import (
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
	out := filepath.Join(t.TempDir(), "demo")
	cmd, said, instance := startDemo(t, "--out", out, "--ramp", "4s", "--hold", "16s", "--max", "6")
	if err := cmd.Wait(); err != nil {
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
	if left := leftovers(t, instance); left != "" {
		t.Errorf("left on the machine:\n%s", left)
	}
}

// TestDemoStopsAtOnce interrupts a demo under load.
func TestDemoStopsAtOnce(t *testing.T) {
	cmd, said, instance := startDemo(t, "--ramp", "10s", "--hold", "1m", "--out", filepath.Join(t.TempDir(), "demo"))
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
	if left := leftovers(t, instance); left != "" {
		t.Errorf("left on the machine:\n%s", left)
	}
}

// TestNextStartCleansUpAfterKill9 kills a demo with tasks running; the next
// server to start, with other data, removes everything of it.
func TestNextStartCleansUpAfterKill9(t *testing.T) {
	cmd, _, instance := startDemo(t, "--ramp", "10s", "--hold", "1m", "--out", filepath.Join(t.TempDir(), "demo"))
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if leftovers(t, instance) == "" {
		t.Fatal("the killed demo left nothing: the test shows nothing")
	}
	s := serve(t, t.TempDir())
	s.stop(syscall.SIGTERM)
	if left := leftovers(t, instance); left != "" {
		t.Errorf("left on the machine:\n%s", left)
	}
}

// startDemo starts a demo and returns when its load runs.
func startDemo(t *testing.T, args ...string) (cmd *exec.Cmd, said *syncBuffer, instance string) {
	t.Helper()
	said = &syncBuffer{}
	cmd = exec.Command(neargate(t), append([]string{"demo"}, args...)...)
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
	return cmd, said, instanceOf(t, cmd.Process.Pid)
}
