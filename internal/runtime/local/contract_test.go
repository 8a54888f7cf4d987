package local

import (
	"context"
	"log/slog"
	"testing"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime"
	"neargate/internal/runtime/runtimetest"
)

func TestContract(t *testing.T) {
	needsRoot(t)
	runtimetest.Run(t, func(t *testing.T) *runtimetest.Harness {
		t.Helper()
		dir, images, sink := t.TempDir(), &fakeImages{}, &fakeLogs{}
		t.Cleanup(func() {
			if err := Cleanup(context.Background(), dir); err != nil {
				t.Error(err)
			}
		})
		var id string
		return &runtimetest.Harness{
			Image: "guest", Digest: guestDigest, Program: "/guest", MissingImage: "none",
			Open: func(ctx context.Context) (runtime.Engine, error) {
				e, err := Open(ctx, Config{DataDir: dir}, images, sink, slog.New(slog.NewTextHandler(t.Output(), nil)))
				if err != nil {
					return nil, err
				}
				id = e.id
				return e, nil
			},
			Lines: func(group, stream string) []string { return sink.get(group + "/" + stream) },
			Crash: func(task string) error {
				for _, pid := range supervisors(id, task) {
					if err := unix.Kill(pid, unix.SIGKILL); err != nil {
						return err
					}
				}
				eventually(t, "the supervisor is gone", func() bool { return len(supervisors(id, task)) == 0 })
				return nil
			},
		}
	})
}
