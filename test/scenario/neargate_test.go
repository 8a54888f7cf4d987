// Package scenario_test runs the whole system: the built binary, real
// containers, real AWS clients. It needs root; without, every test is skipped
// by name.
package scenario_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"neargate/internal/app"
	"neargate/internal/runtime/local"
)

// binary builds neargate once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "neargate-scenario-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "neargate")
	out, err := exec.Command("go", "build", "-o", path, "neargate/cmd/neargate").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// neargate gives the built binary, or skips the test where containers cannot
// run.
func neargate(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: containers, a bridge and mounts")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// server is a `neargate serve` under test.
type server struct {
	t    *testing.T
	data string
	cmd  *exec.Cmd
	log  *syncBuffer
	app.Access

	successor int // the process that serves in its place; 0: none does
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start starts a server on data.
func start(t *testing.T, data string, args ...string) *server {
	t.Helper()
	return startBy(t, nil, data, args...)
}

// startBy starts a server by a command that becomes what follows it.
func startBy(t *testing.T, by []string, data string, args ...string) *server {
	t.Helper()
	s := &server{t: t, data: data, log: &syncBuffer{}}
	line := slices.Concat(by, []string{neargate(t), "serve", "--data", data, "--listen", "127.0.0.1:0"}, args)
	s.cmd = exec.Command(line[0], line[1:]...)
	s.cmd.Stderr, s.cmd.Stdout = s.log, s.log
	_ = os.Remove(filepath.Join(data, app.AccessFile))
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			s.stop(syscall.SIGTERM)
		}
		// A test that failed half way may have left tasks, which run on.
		if err := local.Cleanup(context.WithoutCancel(t.Context()), data); err != nil {
			t.Errorf("clean up %s: %v", data, err)
		}
		if t.Failed() {
			t.Logf("server log:\n%s", s.log)
		}
	})
	return s
}

// serve starts a server on data and waits until it is ready.
func serve(t *testing.T, data string, args ...string) *server {
	t.Helper()
	s := start(t, data, args...)
	s.ready()
	return s
}

func (s *server) ready() {
	s.t.Helper()
	eventually(s.t, 20*time.Second, "the server to be ready", func() error {
		b, err := os.ReadFile(filepath.Join(s.data, app.AccessFile))
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, &s.Access); err != nil {
			return err
		}
		return healthy(s.t.Context(), s.Endpoint)
	})
}

func healthy(ctx context.Context, endpoint string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/_neargate/health", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("health answers %s", resp.Status)
	}
	return nil
}

// stop ends the server with a signal and waits for it.
func (s *server) stop(sig syscall.Signal) {
	s.t.Helper()
	s.endSuccessor(sig)
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) { // one that was replaced
		s.t.Fatal(err)
	}
	_ = s.cmd.Wait() // its exit code is the signal's business
}

// eventually asks until there is no error, and fails with the last one.
func eventually(t *testing.T, limit time.Duration, what string, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s: %v", limit, what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// supervisors gives the process IDs of the supervisors of the server's tasks.
func (s *server) supervisors() []int {
	s.t.Helper()
	files, err := filepath.Glob("/run/neargate/*/instance.json")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil || !strings.Contains(string(b), fmt.Sprintf("%q", s.data)) {
			continue
		}
		out, _ := exec.Command("pgrep", "-f", "task-supervisor "+filepath.Base(filepath.Dir(f))).Output() // fails when there is none
		var pids []int
		for word := range strings.FieldsSeq(string(out)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				s.t.Fatal(err)
			}
			pids = append(pids, pid)
		}
		return pids
	}
	return nil
}

// instanceOf gives the ID under which a process's server made things on the
// machine, "" when it made none.
func instanceOf(t *testing.T, pid int) string {
	t.Helper()
	files, err := filepath.Glob("/run/neargate/*/instance.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		var made struct{ PID int }
		if b, err := os.ReadFile(f); err == nil && json.Unmarshal(b, &made) == nil && made.PID == pid {
			return filepath.Base(filepath.Dir(f))
		}
	}
	return ""
}

// leftovers lists what an instance has on the machine. Others may be at work
// beside it.
func leftovers(t *testing.T, instance string) string {
	t.Helper()
	if instance == "" {
		t.Fatal("the server made nothing on the machine: the test shows nothing")
	}
	sh := `ip -br link | grep "^ng-*$1"; find /sys/fs/cgroup -path "*neargate/$1*" -type d; ` +
		`pgrep -f "[t]ask-supervisor $1"; ls -d /run/neargate/$1 2>/dev/null`
	cmd := exec.Command("sh", "-c", sh, "sh", instance)
	var b strings.Builder
	cmd.Stdout = &b
	_ = cmd.Run() // grep answers 1 when nothing is left
	return b.String()
}
