package supervisor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	decide "neargate/internal/decide/disk"
	"neargate/internal/runtime/local/disk"
)

// ReasonDisk begins the reason of a container that was killed because the task's
// disk, or the machine's, was full. Fargate has no such reason: a write fails
// there. The form is that of ECS's ReasonOutOfMemory.
const ReasonDisk = "OutOfDiskError: Container killed due to disk usage"

// WrittenDirs are where what a task's containers write lies.
func WrittenDirs(taskDir string) []string {
	return []string{filepath.Join(taskDir, "containers"), filepath.Join(taskDir, "etc")}
}

// limitDisk watches what the task writes and returns why it must end, or "" at
// the end of ctx.
func limitDisk(ctx context.Context, o *Order) string {
	if o.DiskBytes <= 0 {
		return ""
	}
	watch := decide.Watch{Limit: o.DiskBytes}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ""
		case <-timer.C:
		}
		next, err := look(&watch, o.Dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err) // tried again
		}
		if watch.Full() {
			return fmt.Sprintf("%s: %d MiB written of the task's ephemeral storage of %d GiB", ReasonDisk, watch.Used>>20, o.DiskBytes>>30)
		}
		timer.Reset(next)
	}
}

// look looks at the room on the file system, and at the task where that calls
// for it.
func look(watch *decide.Watch, taskDir string) (next time.Duration, err error) {
	room, err := disk.Room(taskDir)
	if err != nil {
		return time.Second, err
	}
	began := time.Now()
	var due bool
	*watch, due, next = watch.Look(room.Free, began)
	if !due {
		return next, nil
	}
	used, _, err := disk.Used(WrittenDirs(taskDir)...)
	if err == nil {
		*watch = watch.Measured(used, room.Free, began, time.Since(began))
	}
	return next, err
}
