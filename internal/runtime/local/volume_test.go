package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"neargate/internal/model"
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
