// Package rig is what the benchmarks of the whole system stand on: a built
// `neargate serve` with a data directory of its own, the workshop's app in its
// registry, and services of it behind a load balancer, all by the AWS APIs. It
// needs root.
package rig

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
	"syscall"
	"time"

	"neargate/internal/app"
	"neargate/internal/runtime/local"
)

// readyLimit is how long a server may take to start, stopLimit to stop.
const (
	readyLimit = 20 * time.Second
	stopLimit  = 20 * time.Second
)

// Build builds neargate into dir and gives the binary's path.
func Build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "neargate")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "neargate/cmd/neargate").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build neargate: %w\n%s", err, out)
	}
	return path, nil
}

// Server is a running `neargate serve`.
type Server struct {
	app.Access
	PID int
	// Ready is the time from the start of the process to the first answer of
	// its health page.
	Ready time.Duration

	data  string
	cmd   *exec.Cmd
	log   bytes.Buffer // read when the process has ended
	ended chan struct{}
}

// Start starts the binary on a data directory, which Remove takes away, and
// waits until it is ready. It is in a process group of its own, so that a
// Ctrl-C reaches only the benchmark, which then cleans up.
func Start(ctx context.Context, binary, data string) (*Server, error) {
	access := filepath.Join(data, app.AccessFile)
	if err := os.Remove(access); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err // it would say where an earlier server was
	}
	s := &Server{data: data, ended: make(chan struct{})}
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), binary, "serve", "--data", data, "--listen", "127.0.0.1:0")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	s.PID = s.cmd.Process.Pid
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // what it said is in the log
	}()
	err := Until(ctx, "the server to be ready", readyLimit, time.Millisecond, func(ctx context.Context) (bool, error) {
		select {
		case <-s.ended:
			return false, fmt.Errorf("the server ended:\n%s", s.log.String())
		default:
		}
		b, err := os.ReadFile(access)
		if errors.Is(err, os.ErrNotExist) {
			return false, nil // not yet there
		}
		if err == nil { // it appears whole
			err = json.Unmarshal(b, &s.Access)
		}
		return err == nil && healthy(ctx, s.Endpoint), err
	})
	s.Ready = time.Since(began)
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func healthy(ctx context.Context, endpoint string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/_neargate/health", nil)
	if err != nil {
		return false
	}
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close()) == nil && resp.StatusCode == http.StatusOK
}

// Stop ends the server; its tasks run on. A server that has ended is fine.
func (s *Server) Stop() error {
	select {
	case <-s.ended:
		return nil
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the server: %w", err)
	}
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-s.ended:
		return nil
	case <-limit.C:
	}
	err := s.cmd.Process.Kill()
	<-s.ended
	return errors.Join(fmt.Errorf("the server did not stop within %v:\n%s", stopLimit, s.log.String()), err)
}

// Remove stops the server and takes away all that is of its data directory:
// tasks, links, cgroups, files. It does so also after ctx has ended.
func (s *Server) Remove(ctx context.Context) error {
	return errors.Join(s.Stop(), local.Cleanup(context.WithoutCancel(ctx), s.data), os.RemoveAll(s.data))
}
