package filesystem

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/store"
)

var place = model.Place{Region: "us-east-1", Account: "000000000000"}

func open(t *testing.T) *FileSystems {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f, err := Open(db, Config{
		Dir: filepath.Join(dir, "efs"), Place: place,
		Networks: oneVPC{},
	}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// oneVPC has the subnets "subnet-a", "subnet-b" … of zones a, b …, and sg-1; sg-2
// is in another VPC.
type oneVPC struct{}

func (oneVPC) Subnet(id string) (vpcID, zone string, ok bool) {
	return "vpc-1", "us-east-1" + strings.TrimPrefix(id, "subnet-"), strings.HasPrefix(id, "subnet-")
}

func (oneVPC) GroupVPC(id string) (vpcID string, ok bool) {
	return map[string]string{"sg-1": "vpc-1", "sg-2": "vpc-2"}[id], id == "sg-1" || id == "sg-2"
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func code(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestLifeOfAFileSystem(t *testing.T) {
	f, ctx := open(t), t.Context()
	fs := must(f.Create(ctx, FileSystem{Token: "a"}))(t)
	if _, err := f.Create(ctx, FileSystem{Token: "a"}); code(err) != "FileSystemAlreadyExists" {
		t.Errorf("a token twice: %v", err)
	}
	if entries, err := os.ReadDir(f.cfg.Dir); err != nil || len(entries) != 1 {
		t.Errorf("directories: %v, %v", entries, err)
	}
	target := must(f.CreateMountTarget(ctx, MountTarget{FileSystem: fs.ID, Subnet: "subnet-a", Groups: []string{"sg-1"}}))(t)
	for want, mt := range map[string]MountTarget{
		"MountTargetConflict": {FileSystem: fs.ID, Subnet: "subnet-a"}, "SubnetNotFound": {FileSystem: fs.ID, Subnet: "x"},
		"FileSystemNotFound": {FileSystem: "fs-1", Subnet: "subnet-b"}, "SecurityGroupNotFound": {FileSystem: fs.ID, Subnet: "subnet-b", Groups: []string{"sg-2"}},
	} {
		if _, err := f.CreateMountTarget(ctx, mt); code(err) != want {
			t.Errorf("%s: got %v", want, err)
		}
	}
	point := must(f.CreateAccessPoint(ctx, AccessPoint{FileSystem: fs.ARN, Token: "p", Path: "/"}))(t)
	if err := f.Delete(ctx, fs.ID); code(err) != "FileSystemInUse" {
		t.Errorf("with a mount target: %v", err)
	}
	if err := f.DeleteMountTarget(ctx, target.ID); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(f.dir(fs.ID), "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if bytes, _ := f.Size(fs.ID, 1000); bytes != 6144 {
		t.Errorf("size: %d", bytes)
	}
	if err := f.Delete(ctx, fs.ARN); err != nil {
		t.Error(err)
	}
	if _, err := f.AccessPoint(point.ID); code(err) != "AccessPointNotFound" {
		t.Errorf("the access point of a deleted file system: %v", err)
	}
	if entries, err := os.ReadDir(f.cfg.Dir); err != nil || len(entries) != 0 {
		t.Errorf("directories: %v, %v", entries, err)
	}
}

// Mount makes the root directory of an access point once, and follows no link
// that a task has left.
func TestMount(t *testing.T) {
	f, ctx := open(t), t.Context()
	fs := must(f.Create(ctx, FileSystem{Token: "a"}))(t)
	other := must(f.Create(ctx, FileSystem{Token: "b"}))(t)
	unreached := "failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \"" + fs.ID + ".efs.us-east-1.amazonaws.com\""
	if _, err := f.Mount(model.EFSVolume{FileSystemID: fs.ID}); code(err) != "ResourceInitializationError" || !strings.Contains(err.Error(), unreached) {
		t.Errorf("without a mount target: %v", err)
	}
	for _, id := range []string{fs.ID, other.ID} {
		must(f.CreateMountTarget(ctx, MountTarget{FileSystem: id, Subnet: "subnet-a"}))(t)
	}
	made := must(f.CreateAccessPoint(ctx, AccessPoint{
		FileSystem: fs.ID, Token: "1", Path: "/a/b", User: &User{UID: 7, GID: 8}, Creation: &Creation{UID: anOwner(), GID: anOwner(), Mode: 0o2750},
	}))(t)
	bare := must(f.CreateAccessPoint(ctx, AccessPoint{FileSystem: fs.ID, Token: "2", Path: "/none"}))(t)
	led := must(f.CreateAccessPoint(ctx, AccessPoint{FileSystem: fs.ID, Token: "3", Path: "/link/x", Creation: &Creation{Mode: 0o777}}))(t)
	base := f.dir(fs.ID)
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(base, "link")); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		v    model.EFSVolume
		want string // the path, or with "error: " a part of the error
	}{
		{"the root", model.EFSVolume{FileSystemID: fs.ID}, "/"},
		{"an access point", model.EFSVolume{FileSystemID: fs.ID, AccessPointID: made.ID}, "/a/b"},
		{"what is there by then", model.EFSVolume{FileSystemID: fs.ID, RootDirectory: "/a//b/"}, "/a/b"},
		{"no such directory", model.EFSVolume{FileSystemID: fs.ID, RootDirectory: "/c"}, "error: mounting 127.0.0.1:/c failed, reason given by server: No such file or directory"},
		{"an access point's without creation", model.EFSVolume{FileSystemID: fs.ID, AccessPointID: bare.ID}, "error: No such file or directory"},
		{"a link", model.EFSVolume{FileSystemID: fs.ID, RootDirectory: "/link"}, "error: No such file or directory"},
		{"below a link", model.EFSVolume{FileSystemID: fs.ID, AccessPointID: led.ID}, "error: make directory /link/x"},
		{"an access point of another", model.EFSVolume{FileSystemID: other.ID, AccessPointID: made.ID}, "error: access denied by server"},
		{"an unknown access point", model.EFSVolume{FileSystemID: fs.ID, AccessPointID: "fsap-1"}, "error: access denied by server"},
		{"an unknown file system", model.EFSVolume{FileSystemID: "fs-1"}, "error: Failed to resolve \"fs-1.efs"},
	} {
		got, err := f.Mount(row.v)
		why, fails := strings.CutPrefix(row.want, "error: ")
		switch {
		case fails && (err == nil || !strings.Contains(err.Error(), why)):
			t.Errorf("%s: got %+v, %v, want %s", row.name, got, err, row.want)
		case !fails && (err != nil || got.Path != row.want || got.Base != base):
			t.Errorf("%s: got %+v, %v, want %s", row.name, got, err, row.want)
		}
	}
	if got := must(f.Mount(model.EFSVolume{FileSystemID: fs.ID, AccessPointID: made.ID}))(t); got.User == nil || *got.User != (model.PosixUser{UID: 7, GID: 8}) {
		t.Errorf("user: %+v", got.User)
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(base, "a/b"), &st); err != nil || st.Mode&0o7777 != 0o2750 || int64(st.Uid) != anOwner() {
		t.Errorf("created with mode %o, owner %d, %v", st.Mode, st.Uid, err)
	}
	if found, err := os.ReadDir(outside); err != nil || len(found) > 0 {
		t.Errorf("a link led out: %v, %v", found, err)
	}
}

// anOwner is an owner that this test may set.
func anOwner() int64 {
	if os.Geteuid() != 0 {
		return int64(os.Geteuid())
	}
	return 1001
}
