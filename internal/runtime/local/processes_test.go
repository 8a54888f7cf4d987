package local

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// TestInitProcess: there is one beside the program, which reaps orphans and leads
// nowhere; signals and exit codes are the program's, as any user, without a file in
// the image, also on a terminal; and with its end all is gone.
func TestInitProcess(t *testing.T) {
	for name, change := range map[string]func(*model.ContainerSpec){
		"root": func(*model.ContainerSpec) {}, "a user": func(c *model.ContainerSpec) { c.User = "web" },
		"on a terminal":    func(c *model.ContainerSpec) { c.Terminal = true },
		"a read-only root": func(c *model.ContainerSpec) { c.ReadonlyRoot = true },
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			s := spec("orphan")
			s.Containers[0].Init = true
			change(&s.Containers[0])
			b.run(s)
			eventually(t, "the program is ready", func() bool { return slices.Contains(b.logs.get("/ecs/test/app"), "ready") })
			if err := b.Stop(t.Context(), s.ID, time.Minute); err != nil {
				t.Fatal(err)
			}
			if end := b.exit(); code(end, 0) != "7" {
				t.Errorf("exit code %s, want the program's", code(end, 0))
			}
			got := b.logs.get("/ecs/test/app")
			if n := count(got, " idle 0"); n != 1 {
				t.Errorf("%d processes that were left behind run, want 1", n)
			}
			if !strings.HasPrefix(got[0], "1 65534 neargate pid-namespace-holder") || !strings.HasSuffix(got[0], "permission denied []") {
				t.Errorf("first process: %q", got[0])
			}
			if count(got, " Z ") > 0 {
				t.Error("what has ended is not reaped")
			}
			if t.Failed() {
				t.Log(strings.Join(got, "\n"))
			}
		})
	}
}

func count(lines []string, part string) (n int) {
	for _, l := range lines {
		if strings.Contains(l, part) {
			n++
		}
	}
	return n
}

// TestSharedProcesses: containers see each other's processes and can end them, and
// neither the supervisor nor the machine's files; nothing of a container outlives
// it, and health checks work.
func TestSharedProcesses(t *testing.T) {
	b := open(t)
	worker := container("worker", "orphan")
	worker.Essential = false
	leaver := container("leaver", "leave", "stubborn", "left-behind")
	leaver.Essential = false
	leaver.DependsOn = []model.Dependency{{Container: "worker", Condition: "HEALTHY"}}
	worker.HealthCheck = &model.ContainerHealthCheck{Command: []string{"CMD", "/guest", "confined"}, Interval: 20 * time.Millisecond}
	app := container("app", "processes")
	app.AddCapabilities = []string{"SYS_PTRACE"} // the most that can be had
	app.DependsOn = []model.Dependency{{Container: "leaver", Condition: "COMPLETE"}}
	s := spec()
	s.SharePIDs, s.Containers = true, []model.ContainerSpec{worker, leaver, app}
	end, got := b.output(s)
	for _, want := range []string{"/guest orphan", "/guest processes", " pid-namespace-holder"} {
		if count(got, want) != 1 {
			t.Errorf("want one process %q", want)
		}
	}
	if count(got, "left-behind") > 0 {
		t.Error("a process has outlived its container")
	}
	if count(got, "task-supervisor") > 0 {
		t.Error("containers see their supervisor")
	}
	if !strings.HasPrefix(got[0], "1 65534 ") || !strings.HasSuffix(got[0], " []") { // AppArmor denies even that
		t.Errorf("first process, as one may see it that may trace it: %q", got[0])
	}
	if i := slices.IndexFunc(got, func(l string) bool { return strings.HasPrefix(l, "write the first one's program: ") }); i < 0 || strings.HasSuffix(got[i], "<nil>") {
		t.Error("the supervisor's program can be written")
	}
	if code(end, 2) != "0" || end.Containers[0].Health != "HEALTHY" {
		t.Errorf("got %+v", end)
	}
	if t.Failed() {
		t.Log(strings.Join(got, "\n"))
	}
}

// TestNothingOutlivesItsTask: whatever an app starts when it is asked to stop.
func TestNothingOutlivesItsTask(t *testing.T) {
	for name, shared := range map[string]bool{"own processes": false, "shared processes": true} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			mark := "mark-" + newID()
			s := spec("fork-at-end", mark)
			s.SharePIDs = shared
			s.Containers = append(s.Containers, container("other", "fork-at-end", mark))
			s.Containers[1].Init = true
			b.run(s)
			for _, c := range []string{"app", "other"} {
				eventually(t, c+" is ready", func() bool { return len(b.logs.get("/ecs/test/"+c)) > 0 })
			}
			if !runs(t, mark) {
				t.Fatal("the look for processes does not see those that run")
			}
			if err := b.Stop(t.Context(), s.ID, time.Minute); err != nil {
				t.Fatal(err)
			}
			if end := b.exit(); code(end, 0) != "0" || code(end, 1) != "0" {
				t.Errorf("exit codes %s and %s", code(end, 0), code(end, 1))
			}
			if runs(t, mark) {
				t.Error("a process has outlived its task")
			}
		})
	}
}

// runs reports whether a process of this machine has an argument.
func runs(t *testing.T, argument string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(f string) bool {
		line, err := os.ReadFile(f)
		return err == nil && bytes.Contains(line, []byte(argument))
	})
}
