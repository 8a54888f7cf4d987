package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"neargate/bench/rig"
	"neargate/internal/model"
	"neargate/internal/registry"
	"neargate/internal/runtime/local/seccomp"
	"neargate/internal/store"
)

// pullerArgument has this program pull once: a process whose memory is that of a
// server that pulls.
const pullerArgument = "pull-once"

// sampleEvery is how often memory is looked at.
const sampleEvery = 10 * time.Millisecond

// pulled is what one pull took: time, and bytes of memory above idle.
type pulled struct {
	Took        time.Duration
	Server, All int64 // of the server alone, and with the processes that unpack
}

// pull has a process pull the image into an empty registry.
func pull(ctx context.Context, host, dir string) (pulled, error) {
	defer func() { _ = os.RemoveAll(dir) }()
	var p pulled
	cmd := exec.CommandContext(ctx, "/proc/self/exe", pullerArgument, dir, host+"/bench/image:v1")
	cmd.Stderr = os.Stderr
	said, err := cmd.Output()
	if err != nil {
		return p, fmt.Errorf("pull: %w", err)
	}
	return p, json.Unmarshal(said, &p)
}

// pullOnce opens a registry, pulls and unpacks ref, and prints what it took.
func pullOnce(ctx context.Context, dir, ref string, out io.Writer) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	filter, err := seccomp.Default(nil)
	if err != nil {
		return err
	}
	r, err := registry.Open(ctx, db, registry.Config{
		Dir: filepath.Join(dir, "registry"), Place: model.Place{Region: "us-east-1", Account: "000000000000"},
		Endpoint: "127.0.0.1:4566", Filter: filter,
	}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	server, all := resident()
	m := meter{idleServer: server, idleAll: all, done: make(chan struct{})}
	m.work.Go(m.run)
	began := time.Now()
	_, release, err := r.Unpack(ctx, ref, nil, "")
	took := time.Since(began)
	close(m.done)
	m.work.Wait()
	if err != nil {
		return err
	}
	release()
	return json.NewEncoder(out).Encode(pulled{took, m.server, m.all})
}

// meter remembers the most memory that was in use.
type meter struct {
	idleServer, idleAll int64
	server, all         int64 // above idle; owned by run
	done                chan struct{}
	work                sync.WaitGroup
}

func (m *meter) run() {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		server, all := resident()
		m.server, m.all = max(m.server, server-m.idleServer), max(m.all, all-m.idleAll)
		select {
		case <-m.done:
			return
		case <-tick.C:
		}
	}
}

// resident is the memory of this process, and with that of its children.
func resident() (own, all int64) {
	own, _ = rig.ResidentBytes(os.Getpid())
	all = own
	threads, _ := filepath.Glob("/proc/self/task/*/children")
	for _, file := range threads {
		data, _ := os.ReadFile(file)
		for child := range strings.FieldsSeq(string(data)) {
			if pid, err := strconv.Atoi(child); err == nil {
				bytes, _ := rig.ResidentBytes(pid) // 0 when it has just ended
				all += bytes
			}
		}
	}
	return own, all
}
