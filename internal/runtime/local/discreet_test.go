package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

func TestPathsOfTheMachineAreCutDown(t *testing.T) {
	d := discretion{[]string{"/var/lib/neargate", "/run/neargate"}}
	for in, want := range map[string]string{
		"":                                     "",
		"exec /app: no such file or directory": "exec /app: no such file or directory",
		"open /var/lib/neargate/runtime/tasks/1/task.json: no space left on device":     "open task.json: no space left on device",
		`stat "/var/lib/neargate/runtime/tasks/1/containers/app/rootfs/etc/passwd": x`:  `stat "/etc/passwd": x`,
		"mount through procfd: /var/lib/neargate/t/rootfs, flags":                       "mount through procfd: /, flags",
		"a (/run/neargate/x.lock) and /var/lib/neargate/a/b, /var/lib/neargate":         "a (x.lock) and b, the data directory",
		"/var/lib/neargate2/x is another's":                                             "/var/lib/neargate2/x is another's",
		"rename /var/lib/neargate/a/x.tmp /var/lib/neargate/a/x: read-only file system": "rename x.tmp x: read-only file system",
	} {
		if got := d.text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// startFault is a way in which a task does not start.
type startFault struct {
	name  string
	cause func(b *testBench, s *model.TaskSpec)
}

// inLayer adds a layer with what write puts into it to the image. It lies in the
// data directory, as those of the server do.
func inLayer(write func(layer string) error) func(*testBench, *model.TaskSpec) {
	return func(b *testBench, s *model.TaskSpec) {
		layer := filepath.Join(b.dir, "registry", s.ID)
		if err := errors.Join(os.MkdirAll(layer, 0o755), write(layer)); err != nil {
			b.t.Fatal(err)
		}
		b.images.layers = []string{layer}
	}
}

func file(name string) func(string) error {
	return func(layer string) error {
		path := filepath.Join(layer, name)
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("x"), 0o644))
	}
}

func ofContainer(change func(*model.ContainerSpec)) func(*testBench, *model.TaskSpec) {
	return func(_ *testBench, s *model.TaskSpec) { change(&s.Containers[0]) }
}

func mounting(path string) func(*testBench, *model.TaskSpec) {
	return func(_ *testBench, s *model.TaskSpec) {
		s.Volumes = []model.Volume{{Name: "v"}}
		s.Containers[0].MountPoints = []model.MountPoint{{Volume: "v", Path: path}}
	}
}

// startFaults are the ways in which starts fail in an engine's own places and in
// the image's.
func startFaults() []startFault {
	both := func(all ...func(*testBench, *model.TaskSpec)) func(*testBench, *model.TaskSpec) {
		return func(b *testBench, s *model.TaskSpec) {
			for _, f := range all {
				f(b, s)
			}
		}
	}
	user := ofContainer(func(c *model.ContainerSpec) { c.User = "nobody" })
	return []startFault{
		{"no such image", ofContainer(func(c *model.ContainerSpec) { c.Image = "other" })},
		{"a layer that is gone", func(b *testBench, _ *model.TaskSpec) {
			b.images.layers = []string{filepath.Join(b.dir, "registry", "gone")}
		}},
		{"a layer that is a file", func(b *testBench, s *model.TaskSpec) {
			inLayer(file("x"))(b, s)
			b.images.layers[0] += "/x"
		}},
		{"the task's place taken", func(b *testBench, s *model.TaskSpec) {
			if err := os.WriteFile(filepath.Join(b.tasksDir(), s.ID), nil, 0o600); err != nil {
				b.t.Fatal(err)
			}
		}},
		{"no such program", ofContainer(func(c *model.ContainerSpec) { c.EntryPoint = []string{"/bin/none"} })},
		{"a directory for a program", both(inLayer(file("dir/x")), ofContainer(func(c *model.ContainerSpec) { c.EntryPoint = []string{"/dir"} }))},
		{"a program that may not run", both(inLayer(file("x")), ofContainer(func(c *model.ContainerSpec) { c.EntryPoint = []string{"/x"} }))},
		{"an unknown user", user},
		{"users in a directory", both(user, inLayer(file("etc/passwd/x")))},
		{"users in a FIFO", both(user, inLayer(func(layer string) error {
			return errors.Join(os.MkdirAll(filepath.Join(layer, "etc"), 0o755), unix.Mkfifo(filepath.Join(layer, "etc/passwd"), 0o644))
		}))},
		{"users in a circle of links", both(user, inLayer(func(layer string) error {
			return errors.Join(os.MkdirAll(filepath.Join(layer, "etc"), 0o755), os.Symlink("passwd", filepath.Join(layer, "etc/passwd")))
		}))},
		{"a working directory that is a file", both(inLayer(file("x")), ofContainer(func(c *model.ContainerSpec) { c.WorkingDir = "/x" }))},
		{"a volume on a file", both(inLayer(file("x")), mounting("/x"))},
		{"a volume below a file", both(inLayer(file("x")), mounting("/x/y"))},
		{"a volume in /proc", mounting("/proc/self")},
		{"a file for /dev", inLayer(file("dev"))},
		{"a file for /etc", inLayer(file("etc"))},
		{"a file system that is gone", func(b *testBench, s *model.TaskSpec) {
			mounting("/v")(b, s)
			s.Volumes[0].Shared = &model.SharedDirectory{Base: filepath.Join(b.dir, "efs", "fs-1"), Path: "/"}
		}},
		{"no such parameter of the kernel", ofContainer(func(c *model.ContainerSpec) {
			c.SystemControls = []model.KeyValue{{Name: "net.core.none", Value: "1"}}
		})},
		{"a deep volume of the image", both(inLayer(func(layer string) error {
			return os.MkdirAll(filepath.Join(layer, "v", strings.Repeat("d/", 300)), 0o755)
		}), func(b *testBench, _ *model.TaskSpec) { b.images.config.Volumes = []string{"/v"} })},
		{"more volumes than one would have", func(b *testBench, _ *model.TaskSpec) {
			for i := range 20_000 {
				b.images.config.Volumes = append(b.images.config.Volumes, fmt.Sprint("/v", i))
			}
		}},
	}
}

// TestFailedStartsHideTheMachine: whatever a start fails by, callers of the APIs
// read a reason, and no path of this machine.
func TestFailedStartsHideTheMachine(t *testing.T) {
	b := open(t)
	for _, fault := range startFaults() {
		t.Run(fault.name, func(t *testing.T) {
			b.images.layers, b.images.config = nil, model.ImageConfig{}
			s := spec("exit", "0")
			fault.cause(b, &s)
			end, err := b.Start(t.Context(), s)
			if err == nil { // the kernel refuses the program at last
				end = b.exit()
			}
			said := []string{}
			if m, ok := errors.AsType[*model.Error](err); ok {
				said = append(said, m.Msg)
			} else if err != nil && !errors.Is(err, runtime.ErrEssentialEnded) {
				t.Errorf("an error without a code: %v", err)
			}
			if end.Failure != nil {
				said = append(said, end.Failure.Msg)
			}
			for _, c := range end.Containers {
				said = append(said, c.Reason)
			}
			reason := strings.TrimSpace(strings.Join(said, "\n"))
			t.Log(reason)
			if reason == "" {
				t.Errorf("it failed for no reason: %v, %+v", err, end)
			}
			for _, place := range []string{b.dir, runDir, "/sys/fs/cgroup"} {
				if strings.Contains(reason, place) {
					t.Errorf("%s is shown: %s", place, reason)
				}
			}
			if err := os.Remove(filepath.Join(b.tasksDir(), s.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("left of the task: %v", err)
			}
		})
	}
}
