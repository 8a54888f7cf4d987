package local

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/runtime/local/supervisor"
)

// inTurn is a task whose containers run one after the other; the last ends it.
func inTurn(containers ...model.ContainerSpec) model.TaskSpec {
	s := spec()
	s.Containers = containers
	for i := range s.Containers {
		last := i == len(containers)-1
		s.Containers[i].Essential = last
		if i > 0 {
			s.Containers[i].DependsOn = []model.Dependency{{Container: containers[i-1].Name, Condition: "COMPLETE"}}
		}
	}
	return s
}

func mounted(c model.ContainerSpec, points ...model.MountPoint) model.ContainerSpec {
	c.MountPoints = points
	return c
}

// TestContainersShareAVolume: what one writes another reads, at its own place,
// and cannot change where it must not; it goes with the task.
func TestContainersShareAVolume(t *testing.T) {
	b := open(t)
	s := inTurn(
		mounted(container("writer", "write", "/site/index.html", "hello"), model.MountPoint{Volume: "web", Path: "/site"}),
		mounted(container("reader", "read", "/usr/share/html/index.html"), model.MountPoint{Volume: "web", Path: "/usr/share/html", ReadOnly: true}),
		mounted(container("changer", "write", "/web/more", "x"), model.MountPoint{Volume: "web", Path: "/web", ReadOnly: true}),
	)
	s.Containers[0].ReadonlyRoot = true
	taker := container("taker", "read", "/site/index.html")
	taker.VolumesFrom = []model.VolumesFrom{{Container: "writer", ReadOnly: true}}
	spoiler := container("spoiler", "write", "/site/index.html", "spoiled")
	spoiler.VolumesFrom = taker.VolumesFrom
	app := mounted(container("app", "list", "/a"), model.MountPoint{Volume: "web", Path: "/a"})
	s = inTurn(append(s.Containers, taker, spoiler, app)...)
	s.Volumes = []model.Volume{{Name: "other"}, {Name: "web"}}
	_, got := b.output(s)
	for container, want := range map[string]string{
		"reader": "hello", "taker": "hello",
		"changer": "open /web/more: read-only file system", "spoiler": "open /site/index.html: read-only file system",
	} {
		has(t, b.logs.get("/ecs/test/"+container), want)
	}
	has(t, got, "drwxr-xr-x 0 0 /a")
	has(t, got, "-rw-r--r-- 0 0 /a/index.html")
	left, err := filepath.Glob(filepath.Join(b.dir, "runtime/tasks", s.ID, "volumes"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v stay behind, %v", left, err)
	}
}

// TestMountsStayInTheRoot: wherever an image's symbolic links lead.
func TestMountsStayInTheRoot(t *testing.T) {
	outside := t.TempDir()
	for link, want := range map[string]string{
		outside: "x", "../../../../../../../.." + outside: "x", "/etc/passwd": "", "/proc/1/root" + outside: "",
	} {
		b := open(t)
		layer := t.TempDir()
		if err := os.Symlink(link, filepath.Join(layer, "data")); err != nil {
			t.Fatal(err)
		}
		b.images.layers = []string{layer}
		s := inTurn(
			mounted(container("writer", "write", "/data/deep/file", "x"), model.MountPoint{Volume: "v", Path: "/data/deep"}),
			mounted(container("app", "read", "/data/deep/file"), model.MountPoint{Volume: "v", Path: "/data/deep"}),
		)
		s.Volumes = []model.Volume{{Name: "v"}}
		if _, err := b.Start(t.Context(), s); err != nil { // a magic link is not followed at all, and a file is no directory
			if want != "" || model.KindOf(err) != model.Invalid {
				t.Errorf("link to %s: %v", link, err)
			}
		} else {
			b.exit()
			if got := strings.Join(b.logs.get("/ecs/test/app"), "\n"); got != want {
				t.Errorf("link to %s: read %q, want %q", link, got, want)
			}
		}
		if found, err := os.ReadDir(outside); err != nil || len(found) > 0 {
			t.Errorf("a link to %s led out of the root: %v, %v", link, found, err)
		}
	}
}

// TestImageVolumes: what an image declares as a volume is writable beside a
// read-only root, has what the image has there, with its owners, and another
// container gets it; a volume of the task has it only at the very path, and only
// where it is empty.
func TestImageVolumes(t *testing.T) {
	b := open(t)
	layer := t.TempDir()
	data := filepath.Join(layer, "data")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(data, "sub"), 0o750), os.WriteFile(filepath.Join(data, "sub/file"), []byte("of the image"), 0o640),
		os.Symlink("/etc/passwd", filepath.Join(data, "link")), os.Chmod(data, os.ModeSticky|0o770), os.Chown(data, 101, 102),
		os.Chown(filepath.Join(data, "sub/file"), 101, 0), unix.Mkfifo(filepath.Join(data, "pipe"), 0o600),
		unix.Mknod(filepath.Join(data, "device"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))),
		os.Mkdir(filepath.Join(layer, "plain"), 0o755), os.WriteFile(filepath.Join(layer, "plain/file"), nil, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b.images.layers = []string{layer}
	b.images.config.Volumes = []string{"/data", "/nowhere"}
	v := model.MountPoint{Volume: "v", Path: "/data"}
	writer := container("writer", "write", "/data/more", "x")
	writer.ReadonlyRoot = true
	taker := container("taker", "list", "/data")
	taker.VolumesFrom = []model.VolumesFrom{{Container: "writer"}}
	s := inTurn(
		writer, taker,
		mounted(container("second", "list", "/data"), v),
		mounted(container("elsewhere", "list", "/plain"), model.MountPoint{Volume: "other", Path: "/plain"}),
		container("app", "list", "/nowhere"),
	)
	s.Volumes = []model.Volume{{Name: "v"}, {Name: "other"}}
	_, app := b.output(s)
	want := []string{
		"dtrwxrwx--- 101 102 /data", "Lrwxrwxrwx 0 0 /data/link", "prw------- 0 0 /data/pipe",
		"drwxr-x--- 0 0 /data/sub", "-rw-r----- 101 0 /data/sub/file",
	}
	if diff := cmp.Diff(want, b.logs.get("/ecs/test/second")); diff != "" {
		t.Errorf("in a volume of the task: %s", diff)
	}
	if diff := cmp.Diff(slices.Insert(want, 2, "-rw-r--r-- 0 0 /data/more"), b.logs.get("/ecs/test/taker")); diff != "" {
		t.Errorf("from the writer: %s", diff)
	}
	if diff := cmp.Diff([]string{"drwxr-xr-x 0 0 /plain"}, b.logs.get("/ecs/test/elsewhere")); diff != "" {
		t.Errorf("where the image declares nothing: %s", diff)
	}
	if diff := cmp.Diff([]string{"drwxr-xr-x 0 0 /nowhere"}, app); diff != "" {
		t.Errorf("where the image has nothing: %s", diff)
	}
}

// TestVolumeCountsIntoTheDisk: also files in it that have no name any more.
func TestVolumeCountsIntoTheDisk(t *testing.T) {
	for _, how := range []string{"plain", "unlinked"} {
		b := open(t)
		s := spec("hide", how, "3000")
		s.Containers[0].WorkingDir = "/v"
		s.Containers[0].MountPoints = []model.MountPoint{{Volume: "v", Path: "/v"}}
		s.Volumes, s.EphemeralGiB = []model.Volume{{Name: "v"}}, 1
		b.run(s)
		if end := b.exit(); !strings.HasPrefix(end.Containers[0].Reason, supervisor.ReasonDisk+": ") {
			t.Errorf("%s: ended because of %q", how, end.Containers[0].Reason)
		}
	}
}

// TestImageTooLargeForTheDisk: what does not fit is an error of the start.
func TestImageTooLargeForTheDisk(t *testing.T) {
	b := open(t)
	layer := t.TempDir()
	if err := os.MkdirAll(filepath.Join(layer, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(layer, "data/large"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(layer, "data/large"), 2<<30); err != nil {
		t.Fatal(err)
	}
	b.images.layers, b.images.config.Volumes = []string{layer}, []string{"/data"}
	s := spec("exit", "0")
	s.EphemeralGiB = 1
	_, err := b.Start(t.Context(), s)
	if err == nil || !strings.Contains(err.Error(), "copy the image's /data of container app into its volume: more than the task's ephemeral storage of 1 GiB") {
		t.Errorf("got %v", err)
	}
}
