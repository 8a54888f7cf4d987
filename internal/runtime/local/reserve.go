package local

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"time"

	decide "neargate/internal/decide/disk"
	"neargate/internal/runtime/local/disk"
	"neargate/internal/runtime/local/supervisor"
	"neargate/internal/tree"
)

// roomPause is the time between two looks at the room on the disk. A container
// writes a few hundred megabytes in it at the most.
const roomPause = 500 * time.Millisecond

// endLimit is how long a killed task is waited for before the next is.
const endLimit = 10 * time.Second

// guardDisk ends tasks while the file system of the data directory has less room,
// or fewer files, than the reserve: all of the server's state is on it. It
// returns at the end of ctx.
func (e *Engine) guardDisk(ctx context.Context) {
	ticker := time.NewTicker(roomPause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		room, err := disk.Room(e.cfg.DataDir)
		if err != nil {
			e.log.Warn("room on the disk is not known", "error", err)
			continue
		}
		switch bytes, files := decide.Reserve(room.Size), decide.ReserveFiles(room.Files); {
		case room.Free < bytes:
			e.makeRoom(ctx, room, func(all []decide.Use) (string, bool) { return decide.Victim(all, bytes) })
		case room.FreeFiles < files:
			e.makeRoom(ctx, room, func(all []decide.Use) (string, bool) { return decide.VictimOfFiles(all, files) })
		}
	}
}

// makeRoom ends the task that pick picks, and waits for its end.
func (e *Engine) makeRoom(ctx context.Context, room disk.FileSystem, pick func([]decide.Use) (string, bool)) {
	running := map[string]*task{}
	var uses []decide.Use
	for _, t := range e.all() {
		if !t.state().Running {
			continue
		}
		bytes, files, err := disk.Used(supervisor.HeldDirs(t.dir)...)
		for _, pid := range supervisors(e.id, t.id) {
			bytes += disk.Unlinked(filepath.Join("/proc", strconv.Itoa(pid), "root/proc"), t.dir)
		}
		if errors.Is(err, tree.ErrTooDeep) { // whoever cannot be measured hides something
			bytes, files, err = math.MaxInt64, math.MaxInt64, nil
		}
		if err != nil {
			e.log.Warn("task not measured", "task", t.id, "error", err)
			continue
		}
		running[t.id] = t
		uses = append(uses, decide.Use{Task: t.id, Bytes: bytes, Files: files})
	}
	id, ok := pick(uses)
	if !ok {
		return
	}
	t := running[id]
	e.log.Error("disk is full, ending the task that has written most", "task", id, "free_mib", room.Free>>20, "free_files", room.FreeFiles)
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
