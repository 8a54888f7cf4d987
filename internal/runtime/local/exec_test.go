package local

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// command runs the guest in a task's container, to its end, and returns its exit
// code and the lines that it has printed.
func (b *testBench) command(id string, c runtime.Command, args ...string) (int, []string) {
	b.t.Helper()
	var out bytes.Buffer
	c.Container, c.Args = "app", append([]string{"/guest"}, args...)
	code, err := b.Exec(b.t.Context(), id, c, runtime.Streams{Stdout: &out, Stderr: &out})
	if err != nil {
		b.t.Fatal(err)
	}
	return code, slices.Collect(strings.Lines(strings.ReplaceAll(out.String(), "\r\n", "\n")))
}

// starting returns the lines that begin so.
func starting(lines []string, with ...string) string {
	var out []string
	for _, l := range lines {
		if slices.ContainsFunc(with, func(w string) bool { return strings.HasPrefix(l, w) }) {
			out = append(out, strings.TrimSpace(l))
		}
	}
	return strings.Join(out, "; ")
}

// TestCommandIsAsItsContainer compares what a command sees with what the
// container's own program does.
func TestCommandIsAsItsContainer(t *testing.T) {
	b := open(t)
	b.images.config = model.ImageConfig{Env: []string{"FROM_IMAGE=image"}, EntryPoint: []string{"/guest"}}
	s := spec("inspect")
	s.Containers[0].User, s.Containers[0].WorkingDir = "web", "/tmp"
	s.Containers[0].Env = []model.KeyValue{{Name: "FROM_TASK", Value: "task"}}
	_, own := b.output(s)
	long := s
	long.ID = newID()
	long.Containers = slices.Clone(s.Containers)
	long.Containers[0].Command = []string{"wait"}
	state := b.run(long)
	_, seen := b.command(long.ID, runtime.Command{}, "inspect")
	same := []string{"cwd", "Cap", "NoNewPrivs", "Seccomp", "unshare", "mount", "add_key", "write", "masked", "/dev", "nofile", "memlock", "link", "resolv"}
	for _, key := range same {
		if got, want := starting(seen, key), starting(own, key); got != want || got == "" {
			t.Errorf("%s: the command sees %q, its container's program %q", key, got, want)
		}
	}
	if got := starting(seen, "env"); !strings.HasSuffix(got, "image task /home/web") {
		t.Errorf("got %s, want the container's environment", got)
	}
	if got := starting(seen, "ids"); !strings.HasSuffix(got, "101 102") || strings.HasPrefix(got, "ids 1 ") {
		t.Errorf("got %s, want the container's user", got)
	}
	if got := starting(seen, "hostname"); !strings.Contains(got, strings.ReplaceAll(state.IP, ".", "-")) {
		t.Errorf("got %s, want that of %s", got, state.IP)
	}
	if fds := starting(seen, "fd"); strings.Count(fds, "pipe:") != 3 || strings.Contains(fds, "socket:") {
		t.Errorf("the command has %s, want three pipes and nothing of ours", fds)
	}
	for _, terminal := range []*runtime.Window{nil, {Rows: 24, Columns: 80}} {
		_, seen = b.command(long.ID, runtime.Command{User: "0", Window: terminal, Env: []model.KeyValue{{Name: "FROM_TASK", Value: "command"}}}, "inspect")
		if got := starting(seen, "ids", "env", "CapEff"); !strings.Contains(got, " 0 0;") || !strings.Contains(got, "image command") || !strings.HasSuffix(got, "a80425fb") {
			t.Errorf("got %s, want root with the container's capabilities and the command's variable", got)
		}
	}
	if fds := starting(seen, "fd"); strings.Count(fds, "/dev/pts/0") != 3 || strings.Contains(fds, "socket:") || strings.Contains(fds, "ptmx") {
		t.Errorf("the command has %s, want its terminal and nothing of ours", fds)
	}
	if code, _ := b.command(long.ID, runtime.Command{User: "0"}, "confined"); code != 0 {
		t.Error("the command is not confined")
	}
}

// inside counts the processes of a task, and the cgroups below its containers'.
func (b *testBench) inside(id string) (processes, groups int) {
	b.t.Helper()
	for _, root := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		top := filepath.Join(root, cgroupPath(b.id), id)
		_ = filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), "exec-") {
				groups++
			}
			if err == nil && d.Name() == "cgroup.procs" {
				data, _ := os.ReadFile(path)
				processes += bytes.Count(data, []byte("\n"))
			}
			return nil
		})
		if processes > 0 {
			break
		}
	}
	return processes, groups
}

// files are what processes have open.
func files(t *testing.T, pids ...int) []string {
	t.Helper()
	var all []string
	for _, pid := range pids {
		entries, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if name, err := os.Readlink(e); err == nil { // else it was that of the listing
				all = append(all, name)
			}
		}
	}
	return all
}

// TestCommandLeavesNothing: what a command has started goes with it, also what
// has left its session and ignores signals, whoever the container's first process
// is; and with its container, where that is not the first process of its own.
func TestCommandLeavesNothing(t *testing.T) {
	for name, change := range map[string]func(*model.TaskSpec){
		"its own first process": func(*model.TaskSpec) {},
		"an init above it":      func(s *model.TaskSpec) { s.Containers[0].Init = true },
		"shared processes":      func(s *model.TaskSpec) { s.SharePIDs = true },
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			s := spec("wait")
			side := container("side", "idle")
			s.Containers = append(s.Containers, side)
			change(&s)
			b.run(s)
			before, _ := b.inside(s.ID)
			for _, terminal := range []*runtime.Window{nil, {Rows: 24, Columns: 80}} {
				if code, lines := b.command(s.ID, runtime.Command{Window: terminal}, "spawn", "exit"); code != 0 || len(lines) != 2 {
					t.Fatalf("got %q and code %d", lines, code)
				}
				if processes, groups := b.inside(s.ID); processes != before || groups != 0 {
					t.Errorf("%d processes and %d cgroups are left, want the %d of before", processes, groups, before)
				}
			}
			out, in := io.Pipe()
			done := make(chan error, 1)
			go func() {
				_, err := b.Exec(t.Context(), s.ID, runtime.Command{Container: "app", Args: []string{"/guest", "spawn", "wait"}}, runtime.Streams{Stdout: in})
				done <- err
			}()
			lines := bufio.NewScanner(out)
			for range 2 {
				if !lines.Scan() {
					t.Fatal(lines.Err())
				}
			}
			if err := b.Stop(t.Context(), s.ID, time.Second); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Errorf("got %v of a command whose task was stopped", err)
			}
			b.exit()
		})
	}
}

// TestHundredCommandsAreCut cuts commands, twenty at a time, whose processes do
// not want to go, and one of a server that dies.
func TestHundredCommandsAreCut(t *testing.T) {
	b := open(t)
	s := spec("wait")
	s.MemoryMiB = 1024 // sixty processes at once
	b.run(s)
	pids := append(supervisors(b.id, s.ID), os.Getpid())
	b.command(s.ID, runtime.Command{}, "exit", "0") // whatever is made once is there now
	eventually(t, "its output is followed", func() bool { return len(b.logs.get("/ecs/test/app")) > 0 })
	goroutines, open := goruntime.NumGoroutine(), files(t, pids...)
	for range 100 / runtime.MaxCommands {
		b.cutAll(s.ID)
	}
	if processes, groups := b.inside(s.ID); processes != 1 || groups != 0 {
		t.Errorf("%d processes and %d cgroups are left, want the container's own alone", processes, groups)
	}
	var now []string
	defer func() {
		if t.Failed() {
			t.Logf("%d goroutines, were %d; open files:\n%s\nwere:\n%s", goruntime.NumGoroutine(), goroutines, strings.Join(now, "\n"), strings.Join(open, "\n"))
		}
	}()
	eventually(t, "as many goroutines and open files as before", func() bool {
		now = files(t, pids...)
		return goruntime.NumGoroutine() <= goroutines && len(now) <= len(open)
	})
	if code, _ := b.command(s.ID, runtime.Command{}, "exit", "7"); code != 7 {
		t.Errorf("got code %d after all that", code)
	}
}

// cutAll runs as many commands as may run, and cuts them.
func (b *testBench) cutAll(id string) {
	b.t.Helper()
	ctx, cut := context.WithCancel(b.t.Context())
	defer cut()
	var all sync.WaitGroup
	for i := range runtime.MaxCommands {
		out, in := io.Pipe()
		c := runtime.Command{Container: "app", Args: []string{"/guest", "spawn", "wait"}}
		if i%2 == 0 {
			c.Window = &runtime.Window{Rows: 24, Columns: 80}
		}
		all.Go(func() {
			_, err := b.Exec(ctx, id, c, runtime.Streams{Stdout: in})
			_ = in.CloseWithError(err)
		})
		lines := bufio.NewScanner(out)
		for range 2 {
			if !lines.Scan() {
				b.t.Errorf("a command ended: %v", lines.Err())
			}
		}
		all.Go(func() { _, _ = io.Copy(io.Discard, out) })
	}
	if processes, groups := b.inside(id); processes != 1+3*runtime.MaxCommands || groups != runtime.MaxCommands {
		b.t.Errorf("got %d processes and %d cgroups in between", processes, groups)
	}
	cut()
	all.Wait()
}
