package layer

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/seccomp"
)

// endless is the argument with which this program unpacks a layer without end,
// needy the one with which it does it under low limits and with few rights.
const (
	endless = "unpack-endless"
	needy   = "unpack-needy"
)

func TestMain(m *testing.M) {
	Dispatch(func(program []byte) error {
		if string(program) == "look" {
			return errors.New(look())
		}
		return seccomp.Install(program)
	})
	if len(os.Args) == 3 && os.Args[1] == endless {
		_, err := Unpack(context.Background(), Job{Dir: os.Args[2], Limits: Limits{Bytes: 1 << 50, Entries: 1 << 30}}, &forever{})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if len(os.Args) == 3 && os.Args[1] == needy {
		if err := unpackNeedy(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// unpackNeedy unpacks a layer where few files may be open and no limit may be
// raised, as in a container.
func unpackNeedy(at string) error {
	if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_RESOURCE, 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 128, Max: 128}); err != nil {
		return err
	}
	var blob bytes.Buffer
	w := tar.NewWriter(&blob)
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: "f", Mode: 0o644}), w.Close()); err != nil {
		return err
	}
	_, err := Unpack(context.Background(), Job{Dir: at, Limits: Limits{Bytes: 1 << 20, Entries: 10}}, &blob)
	return err
}

// forever is a tar of one file that never ends.
type forever struct{ begun bool }

// Read never fails.
func (f *forever) Read(p []byte) (int, error) {
	if !f.begun {
		f.begun = true
		return copy(p, header("f", tar.TypeReg, 1<<40)), nil
	}
	clear(p)
	return len(p), nil
}

// look is what the process that unpacks finds when it has been confined.
func look() string {
	var found []string
	note := func(what string, err error) {
		if err == nil {
			found = append(found, what)
		}
	}
	entries, err := os.ReadDir("/")
	if err != nil || len(entries) != 1 || entries[0].Name() != "here" {
		found = append(found, fmt.Sprintf("files %v %v", entries, err))
	}
	for _, path := range []string{"/proc", "/etc/passwd", "../../etc/passwd", "/dev/null"} {
		_, err := os.Stat(path)
		note(path, err)
	}
	links, err := net.Interfaces()
	if len(links) > 1 || len(links) == 1 && links[0].Flags&net.FlagUp != 0 {
		found = append(found, fmt.Sprintf("links %v %v", links, err))
	}
	note("a process to signal", unix.Kill(-1, 0))
	note("a device", unix.Mknod("/dev", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))))
	note("a mount", unix.Mount("none", "/", "tmpfs", 0, ""))
	note("another root", unix.Chroot("/here"))
	note("an attribute of overlayfs", unix.Setxattr("/here", opaqueAttr, []byte("y"), 0))
	note("the right to be root", unix.Setuid(0))
	note("more memory", unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: 1 << 40, Max: 1 << 40}))
	if err := unix.Mknod("/whiteout", unix.S_IFCHR, 0); err != nil {
		found = append(found, "no whiteout: "+err.Error())
	}
	// The other threads have not even the rights of this one.
	other := make(chan error)
	go func() { other <- os.WriteFile("/other", nil, 0o600) }() // the calling goroutine has its thread to itself
	note("a right of another thread", <-other)
	if err := os.WriteFile("/own", nil, 0o600); err != nil {
		found = append(found, "cannot write: "+err.Error())
	}
	return "found: " + strings.Join(found, ", ")
}

func TestUnpackingProcessSeesAndMayNothing(t *testing.T) {
	needsRoot(t)
	at := t.TempDir()
	if err := os.Mkdir(filepath.Join(at, "here"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Unpack(t.Context(), Job{Dir: at, Limits: small(), Filter: []byte("look")}, bytes.NewReader(nil))
	want := "confine the unpacking process: install seccomp filter: found: "
	if err == nil || err.Error() != want {
		t.Errorf("Unpack = %v, want %s", err, want)
	}
}

func TestUnpackUnderTheFilter(t *testing.T) {
	needsRoot(t)
	filter, err := seccomp.Default(nil)
	if err != nil {
		t.Fatal(err)
	}
	at := t.TempDir()
	blob := archive(t, dir("d", 0o1777), file("d/f", "x"), fifo("d/p"), file("d/.wh.g", ""), link("l", "d/f", tar.TypeLink), file("l", "y"))
	if _, err := Unpack(t.Context(), Job{Dir: at, Limits: small(), Filter: filter}, bytes.NewReader(packed(t, blob))); err != nil {
		t.Error(err)
	}
}

func TestUnpackUnderLowLimits(t *testing.T) {
	needsRoot(t)
	at := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), os.Args[0], needy, at).CombinedOutput(); err != nil {
		t.Fatalf("unpack: %v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(at, "f")); err != nil {
		t.Error(err)
	}
}

// unpackers are the unpacking processes whose parent is pid.
func unpackers(pid int) []int {
	var out []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest)
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) && strings.Contains(string(cmdline), "\x00"+Argument+"\x00") {
			out = append(out, child)
		}
	}
	return out
}

// await polls, as processes come and go when they like.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestUnpackEndsWithItsContext(t *testing.T) {
	needsRoot(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	at := t.TempDir()
	go func() {
		_, err := Unpack(ctx, Job{Dir: at, Limits: Limits{Bytes: 1 << 50, Entries: 10}}, &forever{})
		ended <- err
	}()
	await(t, "the file is being written", func() bool { _, err := os.Stat(filepath.Join(at, "f")); return err == nil })
	why := errors.New("stopped")
	cancel(why)
	select {
	case err := <-ended:
		if !errors.Is(err, why) {
			t.Errorf("Unpack = %v, want %v", err, why)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("goes on")
	}
	if left := unpackers(os.Getpid()); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}

func TestUnpackingProcessDiesWithTheServer(t *testing.T) {
	needsRoot(t)
	at := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", endless, at)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var children []int
	await(t, "the file is being written", func() bool {
		children = unpackers(cmd.Process.Pid)
		_, err := os.Stat(filepath.Join(at, "f"))
		return err == nil && len(children) == 1
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	await(t, "the process is gone", func() bool {
		return !slices.ContainsFunc(children, func(pid int) bool {
			data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			return err == nil && bytes.Contains(data, []byte(Argument))
		})
	})
}

func TestUnpackOfAnUnreadableBlob(t *testing.T) {
	needsRoot(t)
	broken := io.MultiReader(bytes.NewReader(archive(t, file("f", "x"))[:700]), damaged{})
	if _, err := Unpack(t.Context(), Job{Dir: t.TempDir(), Limits: small()}, broken); err == nil {
		t.Error("Unpack is content")
	}
}

type damaged struct{}

// Read fails as a damaged disk does.
func (damaged) Read([]byte) (int, error) { return 0, syscall.EIO }
