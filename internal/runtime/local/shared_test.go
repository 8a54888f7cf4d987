package local

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/runtime/local/disk"
	"neargate/internal/runtime/local/supervisor"
)

func onShared(s model.TaskSpec, shared model.SharedDirectory) model.TaskSpec {
	s.Volumes = []model.Volume{{Name: "efs", Shared: &shared}}
	for i := range s.Containers {
		s.Containers[i].MountPoints = append(s.Containers[i].MountPoints, model.MountPoint{Volume: "efs", Path: "/efs"})
	}
	return s
}

// TestSharedDirectoriesOutliveTasks: what one task writes, another has, and it
// stays; it counts for no task's disk.
func TestSharedDirectoriesOutliveTasks(t *testing.T) {
	b := open(t)
	shared := model.SharedDirectory{Base: t.TempDir(), Path: "/"}
	writer := onShared(spec("write", "/efs/file", "kept"), shared)
	b.run(writer)
	if end := b.exit(); code(end, 0) != "0" {
		t.Fatalf("writer: %+v", end)
	}
	if err := b.Forget(t.Context(), writer.ID); err != nil {
		t.Fatal(err)
	}
	_, got := b.output(onShared(spec("read", "/efs/file"), shared))
	has(t, got, "kept")

	if err := os.WriteFile(filepath.Join(shared.Base, "large"), make([]byte, 32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	idle := onShared(spec("idle"), shared)
	b.run(idle)
	pid := supervisors(b.id, idle.ID)[0]
	var dirs []string
	for _, d := range supervisor.HeldDirs(b.task(idle.ID).dir) {
		dirs = append(dirs, filepath.Join("/proc", strconv.Itoa(pid), "root", d)) // as the supervisor sees them
	}
	if used, _, err := disk.Used(dirs...); err != nil || used > 16<<20 {
		t.Errorf("the task has written %d MiB, %v", used>>20, err)
	}
}

// TestSharedDirectoryStaysInItsBase: whatever others have put in the place of the
// directory by then.
func TestSharedDirectoryStaysInItsBase(t *testing.T) {
	b := open(t)
	for name, target := range map[string]string{"out": "/etc", "up": "../..", "within": "real", "missing": ""} {
		base := t.TempDir()
		if err := os.Mkdir(filepath.Join(base, "real"), 0o755); err != nil {
			t.Fatal(err)
		}
		if target != "" {
			if err := os.Symlink(target, filepath.Join(base, "dir")); err != nil {
				t.Fatal(err)
			}
		}
		_, err := b.Start(t.Context(), onShared(spec("list", "/efs"), model.SharedDirectory{Base: base, Path: "/dir"}))
		if err == nil || !strings.Contains(err.Error(), "mount the volume of container app at /efs: open /dir: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestSharedDirectoryIsUsedAsItsUser: whoever a process runs as, its files are the
// user's on disk and its own inside; others' stay theirs.
func TestSharedDirectoryIsUsedAsItsUser(t *testing.T) {
	for user, id := range map[string]string{"": "0", "web": "101", "1234:1234": "1234", "5000:5000": "5000"} {
		t.Run(user, func(t *testing.T) {
			b := open(t)
			shared := model.SharedDirectory{Base: t.TempDir(), Path: "/", User: &model.PosixUser{UID: 5000, GID: 5000}}
			if err := os.Chown(shared.Base, 5000, 5000); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(shared.Base, "other"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(filepath.Join(shared.Base, "other"), 777, 777); err != nil {
				t.Fatal(err)
			}
			s := onShared(inTurn(container("writer", "write", "/efs/file", "mine"), container("app", "list", "/efs")), shared)
			for i := range s.Containers {
				s.Containers[i].User = user
			}
			end, got := b.output(s)
			if code(end, 0) != "0" {
				t.Fatalf("writer: %+v, printed %q", end.Containers[0], b.logs.get("/ecs/test/writer"))
			}
			var st unix.Stat_t
			if err := unix.Stat(filepath.Join(shared.Base, "file"), &st); err != nil || st.Uid != 5000 || st.Gid != 5000 {
				t.Errorf("on disk the file is %d:%d's, %v", st.Uid, st.Gid, err)
			}
			for file, want := range map[string]string{"/efs/file": id, "/efs/other": "777"} {
				if !slices.ContainsFunc(got, func(l string) bool {
					return strings.HasSuffix(l, " "+file) && strings.Contains(l, " "+want+" ")
				}) {
					t.Errorf("%s is not %s's inside: %q", file, want, got)
				}
			}
		})
	}
}
