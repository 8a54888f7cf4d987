package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime/local/network"
	"neargate/internal/runtime/local/supervisor"
)

// adoptAll goes through the tasks on disk: the living are taken over, the dead
// kept for Recover, half-made ones removed.
func (e *Engine) adoptAll(ctx context.Context) error {
	entries, err := os.ReadDir(e.tasksDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		t := e.newTask(entry.Name())
		known, err := e.adopt(ctx, t)
		if err != nil {
			return fmt.Errorf("take over task %s: %w", t.id, err)
		}
		if !known {
			if err := removeTask(ctx, t.dir); err != nil { // no reason to run no other
				e.log.Warn("left something behind", "task", t.id, "error", err)
			}
		}
	}
	return e.removeStrays(ctx)
}

// adopt takes one task over. known is false when it never came to run.
func (e *Engine) adopt(ctx context.Context, t *task) (known bool, err error) {
	var final model.RunState
	if err := readJSON(finalFile(t.dir), &final); err == nil {
		if err := readJSON(recordFile(t.dir), &t.rec); err != nil {
			return false, err
		}
		t.final = &final
		close(t.started)
		close(t.ended)
		e.keep(t)
		return true, nil
	}
	if err := readJSON(recordFile(t.dir), &t.rec); err != nil {
		return false, killSupervisors(ctx, e.id, t.id)
	}
	if err := e.net.Admit(t.rec.admitted()); err != nil {
		return false, err
	}
	t.rec.Labels.Hold()
	e.hold(t)
	if e.reconnect(ctx, t) {
		if t.meter, err = e.layout.Meter(e.cgroupOf(t)); err != nil {
			e.log.Debug("task is just ending", "task", t.id, "error", err)
		}
		e.keep(t)
		e.moveIn(t)
		e.watchers.Go(func() { e.watch(ctx, t) })
		return true, nil
	}
	// Nobody answers, or it waits for an order that will not come.
	if err := killSupervisors(ctx, e.id, t.id); err != nil {
		return false, err
	}
	t.learnLast(supervisor.Report{})
	if !t.hasStarted() {
		e.release(ctx, t)
		return false, nil
	}
	e.keep(t)
	t.recovered = true
	e.finish(ctx, t)
	return true, nil
}

// admitted is the task as the network knew it.
func (r record) admitted() network.Admitted {
	out := network.Admitted{Address: r.Address, LinkTail: r.LinkTail, SecurityGroups: r.Spec.SecurityGroups}
	if i := slices.IndexFunc(r.Spec.Subnets, func(s model.Subnet) bool { return s.ID == r.Subnet }); i >= 0 {
		out.Subnet = r.Spec.Subnets[i]
	}
	return out
}

func (e *Engine) keep(t *task) {
	e.openFollows(t)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tasks[t.id] = t
}

// hold keeps the task's images from being removed.
func (e *Engine) hold(t *task) {
	for _, digest := range t.rec.Digests {
		if digest == "" {
			continue // its start failed
		}
		release, err := e.images.Hold(digest)
		if err != nil {
			e.log.Warn("a running task's image is gone", "task", t.id, "digest", digest, "error", err)
			continue
		}
		t.releases = append(t.releases, release)
	}
}

// reconnect reaches the task's supervisor and reads its first report. It returns
// false when there is none, or none that has an order.
func (e *Engine) reconnect(ctx context.Context, t *task) bool {
	conn, err := dial(ctx, t.dir)
	if err != nil {
		return false
	}
	var r supervisor.Report
	err = conn.SetReadDeadline(time.Now().Add(dialLimit))
	if err == nil {
		err = json.NewDecoder(conn).Decode(&r)
	}
	_ = conn.Close()
	if err != nil || r.Phase == supervisor.Waiting {
		return false
	}
	t.learn(r)
	if !t.hasStarted() {
		close(t.started) // its Start has no one to return an error to: it counts as started
	}
	// A fresh connection: the decoder may have read ahead in this one.
	if t.conn, err = dial(ctx, t.dir); err != nil {
		return false
	}
	return true
}

// removeStrays removes the cgroups of tasks that have no directory.
func (e *Engine) removeStrays(ctx context.Context) error {
	paths, err := e.layout.Paths(cgroupPath(e.id))
	if err != nil {
		return err
	}
	live := map[string]bool{supervisorsPath(e.id): true}
	for _, t := range e.all() {
		live[e.cgroupOf(t)] = true
	}
	for _, p := range paths {
		if !live[p] {
			if err := e.layout.Remove(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}
