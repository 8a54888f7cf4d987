package local

import (
	"context"
	"time"

	decide "neargate/internal/decide/disk"
	"neargate/internal/runtime/local/disk"
	"neargate/internal/runtime/local/supervisor"
)

// roomPause is the time between two looks at the room on the disk. A container
// writes a few hundred megabytes in it at the most.
const roomPause = 500 * time.Millisecond

// endLimit is how long a killed task is waited for before the next is.
const endLimit = 10 * time.Second

// guardDisk ends tasks while the file system of the data directory has less room
// than the reserve: all of the server's state is on it. It returns at the end
// of ctx.
func (e *Engine) guardDisk(ctx context.Context) {
	ticker := time.NewTicker(roomPause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		size, free, err := disk.Room(e.cfg.DataDir)
		if err != nil {
			e.log.Warn("room on the disk is not known", "error", err)
			continue
		}
		if reserve := decide.Reserve(size); free < reserve {
			e.makeRoom(ctx, free, reserve)
		}
	}
}

// makeRoom ends the task that has written most, and waits for its end.
func (e *Engine) makeRoom(ctx context.Context, free, reserve int64) {
	running := map[string]*task{}
	var uses []decide.Use
	for _, t := range e.all() {
		if !t.state().Running {
			continue
		}
		used, err := disk.Used(supervisor.WrittenDirs(t.dir)...)
		if err != nil {
			e.log.Warn("task not measured", "task", t.id, "error", err)
			continue
		}
		running[t.id] = t
		uses = append(uses, decide.Use{Task: t.id, Bytes: used})
	}
	id, ok := decide.Victim(uses, reserve)
	if !ok {
		return
	}
	t := running[id]
	e.log.Error("disk is full, ending the task that has written most", "task", id, "free_mib", free>>20, "reserve_mib", reserve>>20)
	if err := t.send(supervisor.Command{Kill: &supervisor.Kill{Reason: supervisor.ReasonDisk + ": the machine's disk is full"}}); err != nil {
		e.log.Warn("task not ended", "task", id, "error", err)
		return
	}
	late := time.NewTimer(endLimit)
	defer late.Stop()
	select {
	case <-t.ended:
	case <-late.C:
	case <-ctx.Done():
	}
}
