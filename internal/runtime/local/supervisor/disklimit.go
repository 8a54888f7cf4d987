package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	decide "neargate/internal/decide/disk"
	"neargate/internal/runtime/local/disk"
	"neargate/internal/tree"
)

// ReasonDisk begins the reason of a container that was killed because the task's
// disk, or the machine's, was full. Fargate has no such reason: a write fails
// there. The form is that of ECS's ReasonOutOfMemory.
const ReasonDisk = "OutOfDiskError: Container killed due to disk usage"

// WrittenDirs are where what a task's containers write lies.
func WrittenDirs(taskDir string) []string {
	return []string{filepath.Join(taskDir, "containers"), filepath.Join(taskDir, "etc"), volumesDir(taskDir)}
}

// HeldDirs are where all that a task takes of the machine's disk lies: what its
// containers write, and their output that nobody has taken.
func HeldDirs(taskDir string) []string {
	return append(WrittenDirs(taskDir), filepath.Join(taskDir, "logs"))
}

// limitDisk watches what the task writes and returns why it must end, or "" at
// the end of ctx. It sends how many bytes these are to used when that has changed
// by a MiB. Beside the task's limit it keeps half of the reserve that the
// engine keeps of the machine's disk, for while no engine runs.
func limitDisk(ctx context.Context, o *Order, used chan<- int64) string {
	var sent int64
	watch := decide.Watch{Limit: o.DiskBytes}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ""
		case <-timer.C:
		}
		room, err := disk.Room(o.Dir)
		next := time.Second
		if err == nil {
			var why string
			if next, why, err = look(&watch, o, room); why != "" {
				return why
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err) // tried again
		}
		if watch.Used>>20 != sent>>20 {
			select {
			case used <- watch.Used:
				sent = watch.Used
			case <-ctx.Done():
				return ""
			}
		}
		timer.Reset(next)
	}
}

// look looks at the room on the file system, and at the task where that calls
// for it.
func look(watch *decide.Watch, o *Order, room disk.FileSystem) (next time.Duration, why string, err error) {
	began := time.Now()
	var due bool
	*watch, due, next = watch.Look(room.Free, began)
	if due {
		used, err := written(o, WrittenDirs(o.Dir))
		if errors.Is(err, tree.ErrTooDeep) {
			return next, ReasonDisk + ": what was written cannot be measured: " + tree.ErrTooDeep.Error(), nil
		}
		if err != nil {
			return next, "", err
		}
		*watch = watch.Measured(used, room.Free, began, time.Since(began))
		if watch.Full() {
			return next, fmt.Sprintf("%s: %d MiB written of the task's ephemeral storage of %d GiB", ReasonDisk, used>>20, o.DiskBytes>>30), nil
		}
	}
	if reserve := decide.Reserve(room.Size); room.Free < reserve/2 {
		used, err := written(o, HeldDirs(o.Dir))
		if _, much := decide.Victim([]decide.Use{{Bytes: used}}, reserve); much || errors.Is(err, tree.ErrTooDeep) {
			return next, ReasonDisk + ": the machine's disk is full", nil
		}
		return next, "", err
	}
	return next, "", nil
}

// written returns what the task has in directories, and in files of its
// processes that have no name any more: /proc shows the task's alone.
func written(o *Order, dirs []string) (int64, error) {
	used, _, err := disk.Used(dirs...)
	return used + disk.Unlinked("/proc", o.Dir), err
}
