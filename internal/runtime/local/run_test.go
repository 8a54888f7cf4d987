package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

func TestRunAndStop(t *testing.T) {
	b := open(t)
	s := spec("serve")
	state := b.run(s)
	if !state.Running || state.IP == "" || state.MAC == "" || !state.Containers[0].Running {
		t.Fatalf("got %+v, want it running", state)
	}
	if got := state.Containers[0].ImageDigest; got != guestDigest {
		t.Errorf("got digest %s", got)
	}
	want := "Hello from ip-" + strings.ReplaceAll(state.IP, ".", "-") + ".ec2.internal!"
	if got := get(t, "http://"+state.IP+":8080/"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if b.images.held != 1 {
		t.Errorf("the image is held %d times while the task runs", b.images.held)
	}
	if err := b.Stop(t.Context(), s.ID, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	end := b.exit()
	if end.Running || code(end, 0) != "0" || end.StoppedAt.IsZero() {
		t.Errorf("got %+v, want an orderly end", end)
	}
	if diff := cmp.Diff(map[string]string{"for": "test"}, end.Labels); diff != "" {
		t.Error(diff)
	}
	if b.images.held != 0 {
		t.Errorf("the image is held %d times after the end", b.images.held)
	}
	list, err := b.Recover(t.Context())
	if err != nil || len(list) != 1 || list[0].Running {
		t.Errorf("got %+v, %v, want the ended task until it is forgotten", list, err)
	}
	if err := b.Forget(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	if list, _ := b.Recover(t.Context()); len(list) != 0 {
		t.Errorf("got %+v, want nothing", list)
	}
	if err := b.Stop(t.Context(), s.ID, 0); err != nil {
		t.Errorf("stop of an unknown task: %v", err)
	}
}

func TestExits(t *testing.T) {
	b := open(t)
	for _, row := range []struct {
		name   string
		args   []string
		want   string
		reason string
	}{
		{"success", []string{"exit", "0"}, "0", ""},
		{"failure", []string{"exit", "3"}, "3", ""},
		{"out of memory", []string{"eat"}, "137", "OutOfMemoryError: Container killed due to memory usage"},
	} {
		s := spec(row.args...)
		s.MemoryMiB = 32
		b.run(s)
		end := b.exit()
		if code(end, 0) != row.want || end.Containers[0].Reason != row.reason {
			t.Errorf("%s: got exit code %s, reason %q", row.name, code(end, 0), end.Containers[0].Reason)
		}
	}
}

func TestStopOfAStubbornContainer(t *testing.T) {
	b := open(t)
	s := spec("stubborn")
	s.Containers[0].StopTimeout = 50 * time.Millisecond
	b.run(s)
	eventually(t, "the program ignores SIGTERM", func() bool { return len(b.logs.get("/ecs/test/app")) > 0 })
	if err := b.Stop(t.Context(), s.ID, time.Hour); err != nil {
		t.Fatal(err)
	}
	if end := b.exit(); code(end, 0) != "137" || end.Containers[0].Reason != "" {
		t.Errorf("got exit code %s, reason %q", code(end, 0), end.Containers[0].Reason)
	}
}

func TestStartErrors(t *testing.T) {
	b := open(t)
	unknown := spec()
	unknown.Containers[0].EntryPoint = []string{"foo"}
	image := spec("serve")
	image.Containers[0].Image = "none"
	user := spec("serve")
	user.Containers[0].User = "nobody-knows"
	twice := spec("serve")
	twice.Containers = append(twice.Containers, twice.Containers[0])
	for _, row := range []struct {
		name       string
		spec       model.TaskSpec
		code, text string
	}{
		{"unknown program", unknown, runtime.CodeStart, `exec: "foo": executable file not found in $PATH`},
		{"unknown image", image, runtime.CodePull, "pull none: not found"},
		{"unknown user", user, runtime.CodeStart, `find user "nobody-knows" in the image`},
		{"two of a name", twice, runtime.CodeResource, "two containers are named app"},
	} {
		_, err := b.Start(t.Context(), row.spec)
		m, ok := errors.AsType[*model.Error](err)
		if !ok || m.Code != row.code || !strings.Contains(m.Msg, row.text) {
			t.Errorf("%s: got %v, want %s: %s", row.name, err, row.code, row.text)
		}
	}
	list, err := b.Recover(t.Context())
	if err != nil || len(list) > 0 || len(b.exits) > 0 || b.images.held > 0 {
		t.Errorf("got tasks %v, %v, %d exits, %d images held, want nothing left", list, err, len(b.exits), b.images.held)
	}
}

func TestCancelledRun(t *testing.T) {
	b := open(t)
	s := spec("serve")
	// It would wait for ever: the first container never completes.
	s.Containers = append(s.Containers, container("after", "exit", "0"))
	s.Containers[0].Essential = false
	s.Containers[1].DependsOn = []model.Dependency{{Container: "app", Condition: "COMPLETE"}}
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := b.Start(ctx, s)
		result <- err
	}()
	eventually(t, "the supervisor runs", func() bool { return len(supervisors(b.id, s.ID)) > 0 })
	cancel()
	if err := <-result; err == nil {
		t.Error("got no error of a cancelled Start")
	}
	if left := supervisors(b.id, ""); len(left) > 0 {
		t.Errorf("supervisors %v are left", left)
	}

	s.ID = newID()
	go func() {
		_, err := b.Start(t.Context(), s)
		result <- err
	}()
	eventually(t, "the supervisor runs", func() bool { return len(supervisors(b.id, s.ID)) > 0 })
	if err := b.Stop(t.Context(), s.ID, 0); err != nil {
		// Start has removed it already, or Stop sees it end.
		t.Error(err)
	}
	if err := <-result; err == nil {
		t.Error("got no error of a stopped Start")
	}
	if len(b.exits) > 0 {
		t.Errorf("got exit %+v of a task that never ran", <-b.exits)
	}
}

func TestHardening(t *testing.T) {
	b := open(t)
	b.images.config = model.ImageConfig{
		Env: []string{"FROM_IMAGE=image", "FROM_TASK=image"}, WorkingDir: "/tmp",
	}
	s := spec("inspect")
	s.Containers[0].Env = []model.KeyValue{{Name: "FROM_TASK", Value: "task"}}
	s.Containers[0].Ulimits = []model.Ulimit{{Name: "nofile", Soft: 2000, Hard: 1 << 30}, {Name: "memlock", Soft: 65536, Hard: -1}}
	_, got := b.output(s)
	for _, want := range []string{
		"cwd /tmp", "ids 1 0 0",
		"CapEff: 00000000a80425fb", "CapBnd: 00000000a80425fb", "NoNewPrivs: 1", "Seccomp: 2",
		"unshare operation not permitted", "mount operation not permitted", "add_key true",
		"write proc open /proc/sys/kernel/hostname: read-only file system",
		"write sys open /sys/kernel/profiling: read-only file system",
		"masked 0", "write root <nil>",
		"/dev/null true", "/dev/zero true", "/dev/urandom true", "/dev/shm true", "/dev/pts true",
		"/dev/sda false", "/dev/kmsg false", "device true open /tmp-device: operation not permitted",
		"hosts true true", "resolv <nil>", "nofile true", "memlock 65536",
		"fd 0 /dev/null", "fd 1 pipe:", "fd 2 pipe:", "processes 1", "link lo true", "link eth0 true",
	} {
		has(t, got, want)
	}
	has(t, got, "hostname ip-172-")
	for _, l := range got {
		// What else is open is the guest's own: Go's poller, its look at its quota, the listed directory.
		if strings.HasPrefix(l, "fd ") && !strings.Contains(l, "pipe:") && !strings.Contains(l, " /dev/null") &&
			!strings.Contains(l, "anon_inode:[event") && !strings.Contains(l, "/proc/") && !strings.Contains(l, "/sys/fs/cgroup/cpu") {
			t.Errorf("descriptor %q leaked into the container", l)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(got, "\n"))
	}
	if !slices.ContainsFunc(got, func(l string) bool {
		return strings.HasPrefix(l, "env ip-") && strings.HasSuffix(l, " image task /root")
	}) {
		t.Error("environment is wrong")
	}
}

func TestUserAndReadonlyRoot(t *testing.T) {
	b := open(t)
	s := spec("inspect")
	s.Containers[0].User, s.Containers[0].ReadonlyRoot = "web", true
	_, got := b.output(s)
	for _, want := range []string{"ids 1 101 102", "CapEff: 0000000000000000", "write root open /file: read-only file system"} {
		has(t, got, want)
	}
}

func TestCapabilitiesAreDroppedAndAdded(t *testing.T) {
	tests := []struct {
		add, drop []string
		want      string // CapEff and CapBnd
	}{
		{nil, []string{"ALL"}, "0000000000000000"},
		{nil, []string{"NET_RAW", "MKNOD"}, "00000000a00405fb"},
		{[]string{"SYS_PTRACE"}, nil, "00000000a80c25fb"},
		{[]string{"SYS_PTRACE"}, []string{"ALL"}, "0000000000080000"},
	}
	for _, tt := range tests {
		b := open(t)
		s := spec("inspect")
		s.Containers[0].AddCapabilities, s.Containers[0].DropCapabilities = tt.add, tt.drop
		_, got := b.output(s)
		has(t, got, "CapEff: "+tt.want)
		has(t, got, "CapBnd: "+tt.want)
	}
}

// TestReadonlyRootWritesNowhere: the platform's files lie on the machine's disk.
func TestReadonlyRootWritesNowhere(t *testing.T) {
	for _, readonly := range []bool{true, false} {
		b := open(t)
		s := spec("inspect")
		s.Containers[0].ReadonlyRoot = readonly
		_, got := b.output(s)
		for _, name := range []string{"hosts", "hostname", "resolv.conf"} {
			want := "write /etc/" + name + " <nil>"
			if readonly {
				want = "write /etc/" + name + " open /etc/" + name + ": read-only file system"
			}
			has(t, got, want)
		}
	}
}

func TestCPUQuota(t *testing.T) {
	b := open(t)
	s := spec("spin")
	s.CPUUnits = 256
	b.run(s)
	eventually(t, "the task is throttled", func() bool {
		got := b.Samples()
		return len(got) == 1 && got[0].TaskID == s.ID && got[0].Throttled > 0 && got[0].CPU > 0 && got[0].Memory > 0
	})
	if err := b.Stop(t.Context(), s.ID, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if got := b.Samples(); len(got) > 0 {
		t.Errorf("got samples %v of an ended task", got)
	}
}

func TestContainersOfATask(t *testing.T) {
	b := open(t)
	s := spec("serve")
	client := container("client", "fetch", "http://localhost:8080/")
	client.Essential = false
	client.DependsOn = []model.Dependency{{Container: "app", Condition: "START"}}
	last := container("last", "exit", "7")
	last.DependsOn = []model.Dependency{{Container: "client", Condition: "SUCCESS"}}
	s.Containers = []model.ContainerSpec{last, client, s.Containers[0]}
	b.run(s)
	end := b.exit()
	if got := strings.Join([]string{code(end, 0), code(end, 1), code(end, 2)}, " "); got != "7 0 0" {
		t.Errorf("got exit codes %s, want the essential one's end to stop the others: %+v", got, end)
	}
	has(t, b.logs.get("/ecs/test/client"), "status 200")
}

func TestHealthCheck(t *testing.T) {
	b := open(t)
	s := spec("touch", "/well")
	s.Containers[0].HealthCheck = &model.ContainerHealthCheck{
		Command: []string{"CMD", "/guest", "have", "/well"}, Interval: 10 * time.Millisecond, Retries: 2,
		StartPeriod: time.Minute, // a busy machine may probe before the file is there
	}
	confined := container("confined", "idle")
	confined.HealthCheck = &model.ContainerHealthCheck{
		Command: []string{"CMD", "/guest", "confined"}, Interval: 10 * time.Millisecond,
	}
	after := container("after", "exit", "0")
	after.DependsOn = []model.Dependency{
		{Container: "app", Condition: "HEALTHY"}, {Container: "confined", Condition: "HEALTHY"},
	}
	s.Containers = append(s.Containers, confined, after)
	s.Containers[0].StopTimeout, s.Containers[1].StopTimeout = time.Millisecond, time.Millisecond
	b.run(s) // returns when both have been started
	if end := b.exit(); end.Containers[0].Health != "HEALTHY" {
		t.Errorf("got health %s", end.Containers[0].Health)
	}

	s = spec("serve")
	s.Containers[0].HealthCheck = &model.ContainerHealthCheck{
		Command: []string{"CMD", "/guest", "have", "/well"}, Interval: 10 * time.Millisecond, Retries: 2,
	}
	b.run(s)
	eventually(t, "the container is unhealthy", func() bool {
		return b.task(s.ID).state().Containers[0].Health == "UNHEALTHY"
	})
}

// TestEndDuringHealthChecks ends containers while processes are joining them: at
// whatever point of its start such a process is, it must not hold the end up.
func TestEndDuringHealthChecks(t *testing.T) {
	b := open(t)
	const tasks = 12
	for i := range tasks {
		s := spec("exit", "0", fmt.Sprint(100+10*i))
		s.Containers[0].HealthCheck = &model.ContainerHealthCheck{
			Command: []string{"CMD", "/guest", "exit", "0"}, Interval: time.Millisecond,
		}
		b.run(s)
	}
	for range tasks {
		if end := b.exit(); code(end, 0) != "0" {
			t.Errorf("a task ended with exit code %s, %+v", code(end, 0), end)
		}
	}
}
