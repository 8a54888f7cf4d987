package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The bounds of what the other side does.
const (
	// short is for a word.
	short = 10 * time.Second
	// long is for opening a state, and for coming up with it.
	long = 2 * time.Minute
	// patience is for a program to start, and to end.
	patience = 15 * time.Second
)

func (l link) soon() error      { return l.SetDeadline(time.Now().Add(short)) }
func (l link) patiently() error { return l.SetDeadline(time.Now().Add(long)) }

// peer returns the process at the other end, which must be this user's or root's.
func (l link) peer() (pid int, err error) {
	raw, err := l.SyscallConn()
	if err != nil {
		return 0, err
	}
	var who *unix.Ucred
	failed := raw.Control(func(fd uintptr) { who, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	switch {
	case failed != nil:
		return 0, failed
	case err != nil:
		return 0, err
	case who.Uid != 0 && int(who.Uid) != os.Geteuid():
		return 0, fmt.Errorf("user %d may not replace this server", who.Uid)
	}
	return int(who.Pid), nil
}

func pause(ctx context.Context) {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// restart starts a successor of the program on disk, and returns what came of it.
func (d *Door) restart(ctx context.Context) message {
	outcome := make(chan message, 1)
	if err := d.launch(ctx, false, outcome); err != nil {
		return message{Kind: failed, Text: err.Error()}
	}
	select {
	case m := <-outcome:
		return m
	case <-ctx.Done():
		return message{Kind: failed, Text: "the server was told to stop"}
	}
}

// launch starts a successor, one at a time.
func (d *Door) launch(ctx context.Context, own bool, asked chan<- message) error {
	if d.cfg.Start == nil {
		return errors.New("this server cannot start its successor")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.child != nil || d.over {
		return errors.New("a successor is just coming up")
	}
	child, err := d.cfg.Start(own || d.given)
	if err != nil {
		return fmt.Errorf("start a successor: %w", err)
	}
	idle := time.NewTimer(d.cfg.Patience)
	d.child, d.idle, d.asked, d.refusal = child, idle, asked, ""
	d.minds.Go(func() { d.mind(ctx, child, idle) })
	return nil
}

// mind waits for a successor that we have started: until it serves, or has ended.
func (d *Door) mind(ctx context.Context, child *os.Process, idle *time.Timer) {
	defer idle.Stop()
	ended := make(chan string, 1)
	go func() { // ends with the child; nobody waits for it who ends before
		how := "it is unknown how it ended"
		if state, err := child.Wait(); err == nil {
			how = state.String()
		}
		ended <- how
	}()
	for {
		select {
		case how := <-ended:
			d.ended(ctx, child, how)
			return
		case <-idle.C:
			d.kill(child)
		case <-ctx.Done():
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.child == child { // it does not serve: nobody is to, then
				_ = child.Signal(unix.SIGTERM)
			}
			return
		}
	}
}

// called is for a successor that has called.
func (d *Door) called(pid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.child != nil && d.child.Pid == pid {
		d.idle.Stop()
	}
}

// hungUp is for a caller that is not handed to any more: a child that does not serve is
// to end.
func (d *Door) hungUp(pid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.child != nil && d.child.Pid == pid {
		d.idle.Reset(d.cfg.Patience)
	}
}

// kill ends a successor of ours that hangs, so that there can be another.
func (d *Door) kill(child *os.Process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.child != child {
		return
	}
	if d.refusal == "" {
		d.refusal = fmt.Sprintf("it did not call within %v, and was killed", d.cfg.Patience)
	}
	d.cfg.Log.Error("the successor hangs and is killed; this server goes on", "pid", child.Pid, "reason", d.refusal)
	_ = child.Kill() // it may just have ended
}

// ended is for a successor of ours that has ended. If it served, so does another now.
func (d *Door) ended(ctx context.Context, child *os.Process, how string) {
	d.mu.Lock()
	if d.child != child {
		d.mu.Unlock()
		return
	}
	d.child = nil
	why, asked, given := d.refusal, d.asked, d.given
	d.asked = nil
	d.mu.Unlock()
	if why == "" {
		why = how
		d.cfg.Log.Error("the successor did not come up; this server goes on", "pid", child.Pid, "reason", why)
	}
	if asked != nil {
		asked <- message{Kind: failed, Text: "the successor did not come up, and the server goes on: " + why}
	}
	if given {
		d.again(ctx)
	}
}

// fell is for a successor that let go of us, or that we give up.
func (d *Door) fell(ctx context.Context, pid int, err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = unix.Kill(pid, unix.SIGKILL) // the connection is open: it is still that process
		err = errors.New("it was not ready in time")
	}
	if errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) {
		err = errors.New("it ended")
	}
	if ctx.Err() != nil {
		return
	}
	d.cfg.Log.Error("the successor did not come up; this server goes on", "pid", pid, "reason", err)
	d.note(err)
	d.mu.Lock()
	orphaned := d.given && d.child == nil
	d.mu.Unlock()
	if orphaned {
		d.again(ctx)
	}
}

// note keeps why a successor does not come up.
func (d *Door) note(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refusal = err.Error()
}

// again has a process of this program take over, once the state is closed: what the
// program on disk could not do, this one has done before.
func (d *Door) again(ctx context.Context) {
	pause(ctx)
	d.mu.Lock()
	settled := d.child != nil || d.over
	d.mu.Unlock()
	if settled || ctx.Err() != nil {
		return
	}
	if err := d.launch(ctx, true, nil); err != nil {
		d.cfg.Log.Error("nobody decides anything until a successor comes up", "error", err)
		if d.cfg.Start != nil {
			d.minds.Go(func() { d.again(ctx) })
		}
	}
}
