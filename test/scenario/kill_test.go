package scenario_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

var (
	kills    = flag.Int("kills", 10, "how often TestKill kills the server")
	killSeed = flag.Uint64("kill-seed", 0, "the seed of TestKill's random points; 0 takes one")
)

// TestKill kills the server at random points of a mix of writes, every fourth
// time once more while it starts. After each start, everything that was
// acknowledged is there, what was refused is not, the tasks of a service that
// nobody touched are the same processes, as many tasks run as are wanted, and
// nothing on the machine belongs to no task.
//
//	go test ./test/scenario -run TestKill -kills 200 -kill-seed 7 -timeout 60m
func TestKill(t *testing.T) {
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-kills %d -kill-seed %d", *kills, seed)
	random := rand.New(rand.NewPCG(seed, 0))

	data, listen := t.TempDir(), fmt.Sprint("127.0.0.1:", freePort(t))
	s := serve(t, data, "--listen", listen)
	c := newClient(s)
	image := c.pushApp()
	c.define("web", image, nil)
	c.define("idle", image, nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	tg, _ := c.balance("web")
	c.service("web", "web", 3, tg)
	c.stable("web")

	w := startWriters(t, c, s, seed)
	killed, inStart, restart := 0, 0, time.Duration(0)
	for n := range *kills {
		before, pids := c.tasks("web", ecstypes.DesiredStatusRunning), processes(t, s)
		w.resume()
		pause(t, time.Duration(50+random.IntN(900))*time.Millisecond)
		s.stop(syscall.SIGKILL)
		killed++
		if n%4 == 3 {
			killInStart(t, data, listen, time.Duration(5+random.IntN(245))*time.Millisecond)
			inStart++
		}
		w.pause()
		began := time.Now()
		s = serve(t, data, "--listen", listen)
		restart = max(restart, time.Since(began))
		sameTasks(t, before, c.tasks("web", ecstypes.DesiredStatusRunning))
		sameProcesses(t, before, pids, processes(t, s))
		w.check(t)
		w.stopStrays(t)
		eventually(t, 30*time.Second, fmt.Sprintf("all to be in order after kill %d", killed), func() error {
			if err := w.settled(); err != nil {
				return err
			}
			return orphans(t, c, s, tg)
		})
		if t.Failed() {
			break
		}
		if killed%20 == 0 {
			t.Logf("killed %d times", killed)
		}
	}
	w.stop()
	t.Logf("killed %d times, %d more in the start; longest start %v; %s", killed, inStart, restart.Round(time.Millisecond), w)
	w.removeAll()
	destroy(t, s, c)
}

// pause lets the writers work until the moment of the next kill.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// killInStart starts a server and kills it so long after.
func killInStart(t *testing.T, data, listen string, after time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	cmd := exec.CommandContext(ctx, neargate(t), "serve", "--data", data, "--listen", listen)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the context's end kills it
}

// sameTasks wants the tasks as they were: none restarted, none replaced.
func sameTasks(t *testing.T, before, after map[string]ecstypes.Task) {
	t.Helper()
	for arn, was := range before {
		is, ok := after[arn]
		if !ok || aws.ToString(is.LastStatus) != "RUNNING" || !aws.ToTime(is.StartedAt).Equal(aws.ToTime(was.StartedAt)) ||
			aws.ToString(is.Containers[0].RuntimeId) != aws.ToString(was.Containers[0].RuntimeId) {
			t.Errorf("task %s is %+v, was %+v", arn, is, was)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d tasks, were %d", len(after), len(before))
	}
}

// sameProcesses wants the tasks' processes as they were.
func sameProcesses(t *testing.T, tasks map[string]ecstypes.Task, before, after map[string]string) {
	t.Helper()
	for arn := range tasks {
		id := arn[strings.LastIndexByte(arn, '/')+1:]
		if before[id] == "" || before[id] != after[id] {
			t.Errorf("task %s is processes %q, was %q", id, after[id], before[id])
		}
	}
}

// ledger is what must be found, by the name of a thing: its value, "" if it must
// not be there, or one of several while the fate of a write is unknown. It is
// safe for concurrent use.
type ledger struct {
	mu     sync.Mutex
	want   map[string]map[string]bool
	acked  map[string]int // writes by kind
	unsure int
}

func newLedger() *ledger {
	return &ledger{want: map[string]map[string]bool{}, acked: map[string]int{}}
}

// wrote takes in a write that was acknowledged.
func (l *ledger) wrote(kind, name, value string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[kind]++
	l.want[kind+" "+name] = map[string]bool{value: true}
}

// tried takes in a write that may have happened or not.
func (l *ledger) tried(kind, name, value string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsure++
	name = kind + " " + name
	if l.want[name] == nil {
		l.want[name] = map[string]bool{"": true}
	}
	l.want[name][value] = true
}

// compare holds what was found against what must be, and settles what was
// unsure.
func (l *ledger) compare(t *testing.T, found map[string]string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, want := range l.want {
		if is := found[name]; !want[is] {
			t.Errorf("%s is %q, want one of %v", name, is, want)
		}
		l.want[name] = map[string]bool{found[name]: true}
	}
	for name, is := range found {
		if l.want[name] == nil {
			t.Errorf("%s is %q, and nobody asked for it", name, is)
		}
	}
}

// value returns what a thing is known to be.
func (l *ledger) value(kind, name string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	want := l.want[kind+" "+name]
	for v := range want {
		return v, len(want) == 1
	}
	return "", false
}

func (l *ledger) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("acknowledged %v, fate unknown at a kill %d", l.acked, l.unsure)
}
