package local

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/network"
)

func TestKilledSupervisor(t *testing.T) {
	b := open(t)
	s := spec("serve")
	state := b.run(s)
	get(t, "http://"+state.IP+":8080/")
	for _, pid := range supervisors(b.id, s.ID) {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	end := b.exit()
	if end.Running || code(end, 0) != "137" {
		t.Errorf("got %+v, want its containers killed", end)
	}
	want := []string{supervisorsPath(b.id)}
	if got, err := b.layout.Paths(cgroupPath(b.id)); err != nil || !slices.Equal(got, want) {
		t.Errorf("got cgroups %v, %v, want %v", got, err, want)
	}
}

// An instance's file may have lost its content in a power cut, or to a disk that
// was full: the tasks that run are taken over under the same identity.
func TestInstanceFileThatIsDamaged(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "cut": `{"ID":"4`, "of zeros": "\x00\x00\x00"} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			s := spec("serve")
			state := b.run(s)
			id, subnet, before := b.id, b.net.Subnet(), supervisors(b.id, s.ID)
			b.close()
			if err := os.WriteFile(instanceFile(b.dir), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			b.open()
			if b.id != id || b.net.Subnet() != subnet || !slices.Equal(supervisors(b.id, s.ID), before) {
				t.Errorf("instance %s in %v with %v, was %s in %v with %v", b.id, b.net.Subnet(), supervisors(b.id, s.ID), id, subnet, before)
			}
			get(t, "http://"+state.IP+":8080/")
			var in instance
			if err := readJSON(instanceFile(b.dir), &in); err != nil || in.ID != id {
				t.Errorf("the file holds %+v, %v", in, err)
			}
		})
	}
}

// The address of a task is not soon given to another, also over restarts, and
// the file is not written for each.
func TestAddressesGoOnAfterARestart(t *testing.T) {
	st := network.State{Subnet: netip.MustParsePrefix("10.1.0.0/20"), Last: netip.MustParseAddr("10.1.15.254")}
	e := &Engine{id: "aabbcc", cfg: Config{DataDir: t.TempDir()}}
	writes, last := 0, ""
	for range 3 * addressesAhead {
		st = ahead(st)
		if err := e.keepAhead(st); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(instanceFile(e.cfg.DataDir))
		if err != nil {
			t.Fatal(err)
		}
		if string(content) != last {
			writes, last = writes+1, string(content)
		}
		var in instance
		if err := readJSON(instanceFile(e.cfg.DataDir), &in); err != nil {
			t.Fatal(err)
		}
		behind := true
		for at, n := st, 0; n <= addressesAhead; at, n = ahead(at), n+1 {
			behind = behind && at != in.Network
		}
		if behind {
			t.Fatalf("%v was given out; the file says %v", st.Last, in.Network.Last)
		}
	}
	if writes > 4 {
		t.Errorf("%d writes for %d addresses", writes, 3*addressesAhead)
	}
}

func TestRestartTakesOver(t *testing.T) {
	b := open(t)
	stays, ends, quits := spec("lines", "3"), spec("serve"), spec("serve")
	state := b.run(stays)
	b.run(ends)
	// A first process of a namespace misses a SIGTERM that comes before it
	// catches signals; one that answers catches them.
	get(t, "http://"+b.run(quits).IP+":8080/")
	eventually(t, "output has arrived", func() bool { return len(b.logs.get("/ecs/test/app")) >= 3 })
	before := supervisors(b.id, stays.ID)
	b.close()
	if got := get(t, "http://"+state.IP+":8080/"); got == "" {
		t.Error("no answer while the engine is away")
	}
	for _, pid := range supervisors(b.id, ends.ID) {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	for _, pid := range supervisors(b.id, quits.ID) {
		if err := unix.Kill(pid, unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "two supervisors are gone", func() bool { return len(supervisors(b.id, "")) == 1 })
	held := b.images.held // by the engine that is gone
	b.open()
	if got := supervisors(b.id, ""); !slices.Equal(before, got) {
		t.Errorf("got supervisors %v, want %v", got, before)
	}
	list, err := b.Recover(t.Context())
	if err != nil || len(list) != 3 {
		t.Fatalf("got %+v, %v, want three tasks", list, err)
	}
	for _, s := range list {
		switch s.ID {
		case stays.ID:
			if diff := cmp.Diff(state, s); diff != "" {
				t.Errorf("the task taken over: %s", diff)
			}
		case ends.ID:
			if s.Running || code(s, 0) != "137" {
				t.Errorf("got %+v of the killed task", s)
			}
		case quits.ID:
			if s.Running || code(s, 0) != "0" || s.Failure != nil {
				t.Errorf("got %+v of the task that ended", s)
			}
		}
	}
	if b.images.held != held+1 {
		t.Errorf("got %d images held, want one more than %d", b.images.held, held)
	}
	if got := b.Samples(); len(got) != 1 || got[0].TaskID != stays.ID {
		t.Errorf("got samples %+v", got)
	}
	if err := b.Stop(t.Context(), stays.ID, 0); err != nil {
		t.Fatal(err)
	}
	if end := b.exit(); end.ID != stays.ID || code(end, 0) != "0" {
		t.Errorf("got end %+v", end)
	}
	if got := b.logs.get("/ecs/test/app"); len(got) != 3 {
		t.Errorf("got output %q, want each line once", got)
	}
}

func TestOneOwnerOfADataDirectory(t *testing.T) {
	b := open(t)
	_, err := Open(t.Context(), Config{DataDir: b.dir}, b.images, b.logs, b.log)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Errorf("got %v", err)
	}
	if err := Cleanup(t.Context(), b.dir); err == nil {
		t.Error("Cleanup of a data directory in use succeeded")
	}
}

// traces is all that an instance has on the machine. Others may be at work.
func traces(t *testing.T, id, dir string) []string {
	t.Helper()
	var got []string
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if name := l.Attrs().Name; strings.HasPrefix(name, network.HomeName(id)) {
			got = append(got, "link "+name)
		}
	}
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	tables, err := conn.ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if strings.Contains(table.Name, id) {
			got = append(got, "table "+table.Name)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), dir) {
		got = append(got, "mounts")
	}
	for _, pattern := range []string{"/sys/fs/cgroup/*/neargate/", "/sys/fs/cgroup/neargate/", runDir + "/"} {
		found, err := filepath.Glob(pattern + id)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, found...)
	}
	for _, pid := range supervisors(id, "") {
		got = append(got, fmt.Sprint("supervisor ", pid))
	}
	return got
}

// gone checks that an instance has nothing left on the machine.
func gone(t *testing.T, id, dir string) {
	t.Helper()
	if got := traces(t, id, dir); len(got) > 0 {
		t.Errorf("left behind: %s", strings.Join(got, ", "))
	}
}

func TestNothingIsLeft(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(b *testBench)
	}{
		{"tasks stopped", func(b *testBench) {
			for _, s := range b.all() {
				if err := b.Stop(t.Context(), s.id, 0); err != nil {
					t.Error(err)
				}
			}
			b.close()
		}},
		{"cleaned up while tasks run", func(b *testBench) {
			b.close()
			if err := Cleanup(t.Context(), b.dir); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(runtimeDir(b.dir)); err == nil {
				t.Error("the runtime's files are left")
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.run(spec("serve"))
			b.run(spec("serve"))
			// A bridge and two links, a table, a cgroup in each hierarchy, an
			// entry, two supervisors.
			if got := traces(t, b.id, b.dir); len(got) < 8 {
				t.Errorf("got traces %v of two running tasks", got)
			}
			row.end(b)
			gone(t, b.id, b.dir)
		})
	}
}

func TestRemovedDataDirectory(t *testing.T) {
	b := open(t)
	b.run(spec("serve"))
	b.close()
	if err := os.RemoveAll(b.dir); err != nil {
		t.Fatal(err)
	}
	open(t) // sweeps
	gone(t, b.id, b.dir)
}

// TestKilledEngine runs an engine in a process of its own, kills that, and lets
// another clean up.
func TestKilledEngine(t *testing.T) {
	needsRoot(t)
	dir := t.TempDir() + "/ephemeral"
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestEngineToKill$", "-test.v")
	cmd.Env = append(os.Environ(), "ENGINE_TO_KILL="+dir, "GUEST="+guest)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for buf := make([]byte, 1000); !strings.Contains(string(text), "task runs"); {
		n, err := out.Read(buf)
		text = append(text, buf[:n]...)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	in, _, err := loadInstance(dir, discard())
	if err != nil {
		t.Fatal(err)
	}
	if len(traces(t, in.ID, dir)) == 0 {
		t.Fatal("got no traces of a killed engine")
	}
	open(t) // sweeps
	if _, err := os.Stat(dir); err == nil {
		t.Error("the data directory is left")
	}
	gone(t, in.ID, dir)
}

// TestEngineToKill is the process that TestKilledEngine kills.
func TestEngineToKill(t *testing.T) {
	dir := os.Getenv("ENGINE_TO_KILL")
	if dir == "" {
		t.Skip("only within TestKilledEngine")
	}
	guest = os.Getenv("GUEST")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	e, err := Open(context.Background(), Config{DataDir: dir, Ephemeral: true}, &fakeImages{}, &fakeLogs{}, discard())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Start(context.Background(), spec("serve")); err != nil {
		t.Fatal(err)
	}
	fmt.Println("task runs")
	time.Sleep(time.Minute)
}
