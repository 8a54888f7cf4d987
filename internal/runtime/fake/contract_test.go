package fake

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/runtime/runtimetest"
)

// memory is a sink that keeps lines by stream.
type memory struct {
	mu    sync.Mutex
	lines map[string][]string
}

func (m *memory) Append(_ context.Context, group, stream string, lines []model.LogLine) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range lines {
		m.lines[group+stream] = append(m.lines[group+stream], l.Message)
	}
	return nil
}

func (m *memory) get(group, stream string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.lines[group+stream])
}

func TestContract(t *testing.T) {
	runtimetest.Run(t, func(*testing.T) *runtimetest.Harness {
		const digest = "sha256:4242424242424242424242424242424242424242424242424242424242424242"
		sink := &memory{lines: map[string][]string{}}
		e := New(Config{Logs: sink})
		e.SetImage("program", digest)
		e.SetImage("missing", "")
		return &runtimetest.Harness{
			Image: "program", Digest: digest, Program: "/program", MissingImage: "missing", Lines: sink.get,
			Open: func(context.Context) (runtime.Engine, error) {
				e.Reopen()
				return e, nil
			},
			Crash: func(id string) error {
				if !slices.Contains(e.Running(), id) {
					return fmt.Errorf("task %s does not run", id)
				}
				e.Crash(id)
				return nil
			},
		}
	})
}
