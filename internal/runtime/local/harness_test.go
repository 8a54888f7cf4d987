package local

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// guest is the directory with the statically linked test program, which serves
// as an image layer; set by TestMain.
var guest string

func TestMain(m *testing.M) {
	Dispatch()
	dir, err := os.MkdirTemp("", "guest")
	if err != nil {
		panic(err)
	}
	guest = dir
	if os.Geteuid() == 0 {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, "guest"), "./testdata/guest")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("build guest: %v\n%s", err, out))
		}
		for _, d := range []string{"etc", "tmp"} {
			if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
				panic(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "etc/passwd"), []byte("root:x:0:0::/root:/bin/sh\nweb:x:101:102::/home/web:/bin/sh\n"), 0o644); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

func needsRoot(t *testing.T) {
	t.Helper()
	if err := Check(); err != nil {
		t.Skip("needs root: " + err.Error())
	}
}

// fakeImages knows one image, and how often it is held.
type fakeImages struct {
	mu     sync.Mutex
	held   int
	config model.ImageConfig
	layers []string // above the guest
}

const guestDigest = "sha256:4242424242424242424242424242424242424242424242424242424242424242"

func (f *fakeImages) Resolve(_ context.Context, image runtime.Image) (string, error) {
	if image.Reference != "guest" {
		return "", fmt.Errorf("pull %s: not found", image.Reference)
	}
	return guestDigest, nil
}

func (f *fakeImages) Unpack(ctx context.Context, image runtime.Image) (Rootfs, func(), error) {
	if image.Reference == "panic" {
		panic("of an image")
	}
	if _, err := f.Resolve(ctx, image); err != nil {
		return Rootfs{}, nil, err
	}
	release, err := f.Hold(guestDigest)
	config := f.config
	if config.EntryPoint == nil {
		config.EntryPoint = []string{"/guest"}
	}
	return Rootfs{Digest: guestDigest, Layers: append([]string{guest}, f.layers...), Config: config}, release, err
}

func (f *fakeImages) Hold(string) (func(), error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held++
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.held--
	}), nil
}

func (f *fakeImages) holding() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held
}

// fakeLogs keeps lines by stream.
type fakeLogs struct {
	mu    sync.Mutex
	lines map[string][]string
}

func (f *fakeLogs) Append(_ context.Context, group, stream string, lines []model.LogLine) error {
	if stream == "panic" {
		panic("of a line")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lines == nil {
		f.lines = map[string][]string{}
	}
	for _, l := range lines {
		f.lines[group+"/"+stream] = append(f.lines[group+"/"+stream], l.Message)
	}
	return nil
}

func (f *fakeLogs) get(stream string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.lines[stream]...)
}

// testBench is an engine with all it needs.
type testBench struct {
	*Engine
	t      *testing.T
	dir    string
	images *fakeImages
	logs   *fakeLogs
	exits  chan model.RunState
	events chan runtime.Event // but for ends of tasks
	stop   func()
}

// open starts an engine on a data directory of the test, which it cleans up.
func open(t *testing.T) *testBench {
	t.Helper()
	return openAt(t, t.TempDir())
}

func openAt(t *testing.T, dir string) *testBench {
	t.Helper()
	needsRoot(t)
	b := &testBench{t: t, dir: dir, images: &fakeImages{}, logs: &fakeLogs{}, exits: make(chan model.RunState, 100), events: make(chan runtime.Event, 100)}
	t.Cleanup(func() {
		if t.Failed() {
			logs, _ := filepath.Glob(filepath.Join(b.dir, "runtime/tasks/*/supervisor.log"))
			for _, l := range logs {
				text, _ := os.ReadFile(l)
				t.Logf("%s:\n%s", l, text)
			}
		}
		if b.stop != nil {
			b.close()
		}
		if err := Cleanup(context.Background(), b.dir); err != nil {
			t.Error(err)
		}
	})
	b.open()
	return b
}

func (b *testBench) open() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e, err := Open(ctx, Config{DataDir: b.dir}, b.images, b.logs, slog.New(slog.NewTextHandler(b.t.Output(), nil)))
	if err != nil {
		cancel()
		b.t.Fatal(err)
	}
	done, taken := make(chan error, 1), make(chan struct{})
	go func() { done <- e.Serve(ctx) }()
	go func() {
		defer close(taken)
		for event := range e.Events(ctx) {
			if event.Kind == runtime.TaskEnded {
				b.exits <- event.State
			} else {
				b.events <- event
			}
		}
	}()
	b.Engine = e
	b.stop = func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
		<-taken
		if err := e.Close(context.Background()); err != nil {
			b.t.Error(err)
		}
		b.stop = nil
	}
}

func (b *testBench) close() { b.stop() }

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// spec is a task of one container with the guest's arguments.
func spec(args ...string) model.TaskSpec {
	return model.TaskSpec{
		ID: newID(), CPUUnits: 1024, MemoryMiB: 128, Labels: map[string]string{"for": "test"},
		Containers: []model.ContainerSpec{container("app", args...)},
	}
}

func container(name string, args ...string) model.ContainerSpec {
	return model.ContainerSpec{
		ContainerDefinition: model.ContainerDefinition{Name: name, Image: "guest", Essential: true, Command: args},
		LogGroup:            "/ecs/test", LogStream: name,
	}
}

func (b *testBench) run(s model.TaskSpec) model.RunState {
	b.t.Helper()
	state, err := b.Start(b.t.Context(), s)
	if err != nil {
		b.t.Fatal(err)
	}
	return state
}

// exit waits for the next end of a task.
func (b *testBench) exit() model.RunState {
	b.t.Helper()
	select {
	case s := <-b.exits:
		return s
	case <-time.After(time.Minute):
		b.t.Fatal("no task ended within a minute")
		return model.RunState{}
	}
}

// output runs a task to its end and gives what it printed.
func (b *testBench) output(s model.TaskSpec) (model.RunState, []string) {
	b.t.Helper()
	b.run(s)
	state := b.exit()
	return state, b.logs.get("/ecs/test/app")
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	deadline := time.Now().Add(10 * time.Second)
	for {
		resp, err := client.Get(url)
		if err == nil {
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			return string(body)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// eventually polls.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func code(s model.RunState, i int) string {
	if s.Containers[i].ExitCode == nil {
		return "none"
	}
	return fmt.Sprint(*s.Containers[i].ExitCode)
}

func has(t *testing.T, lines []string, want string) {
	t.Helper()
	for _, l := range lines {
		if strings.HasPrefix(l, want) {
			return
		}
	}
	t.Errorf("no line %q", want)
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
