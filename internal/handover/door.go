package handover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// Host is a server that can be replaced. Its methods are called one at a time.
type Host interface {
	// Refuses returns why a process may not be the successor; nil where it may.
	Refuses(pid int) error
	// Prepare brings the copy of the state up to date.
	Prepare() error
	// Give has the server decide nothing more and close its state, and returns what
	// the successor is to know. There is no way back from it.
	Give() (knows []byte)
	// Gone is called when a process serves in the server's place.
	Gone(pid int)
}

// DoorConfig is what a Door needs.
type DoorConfig struct {
	Host    Host
	Sockets *Sockets
	// Start starts a successor: of the program on disk or, with own, of the one that
	// runs here. nil: none can be started.
	Start func(own bool) (*os.Process, error)
	// Patience is how long such a successor may take until it calls, and to end where it
	// is not to serve; 0: 15 s. Then it is killed.
	Patience time.Duration
	Log      *slog.Logger
}

// Door is where the successors of a server call.
type Door struct {
	cfg    DoorConfig
	socket *net.UnixListener
	turn   chan struct{}  // size 1: held by who hands over
	calls  sync.WaitGroup // being answered
	minds  sync.WaitGroup // of successors that we have started

	mu      sync.Mutex
	given   bool           // the state is closed; guarded by mu
	over    bool           // a successor serves; guarded by mu
	knows   []byte         // what it is to know; guarded by mu
	child   *os.Process    // a successor that we have started and that does not serve yet; guarded by mu
	idle    *time.Timer    // runs while the child is not being handed to; guarded by mu
	refusal string         // why the last one does not; guarded by mu
	asked   chan<- message // who waits for the child; guarded by mu
}

// OpenDoor opens the door of the server on a data directory, which it alone uses.
func OpenDoor(dir string, cfg DoorConfig) (*Door, error) {
	socket, err := at(dir, func(a *net.UnixAddr) (*net.UnixListener, error) {
		_ = os.Remove(a.Name) // of a predecessor, or of one that was killed
		l, err := net.ListenUnix("unixpacket", a)
		if err != nil {
			return nil, err
		}
		l.SetUnlinkOnClose(false) // by then it is a successor's
		return l, os.Chmod(a.Name, 0o600)
	})
	if err != nil {
		return nil, fmt.Errorf("listen for a successor: %w", err)
	}
	cfg.Patience = cmp.Or(cfg.Patience, patience)
	return &Door{cfg: cfg, socket: socket, turn: make(chan struct{}, 1)}, nil
}

// Serve lets successors in until one serves, or ctx ends.
func (d *Door) Serve(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer d.minds.Wait()
	defer stop()
	defer d.calls.Wait() // who asked for a restart is told
	end := context.AfterFunc(ctx, func() { _ = d.socket.Close() })
	defer end()
	for {
		conn, err := d.socket.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			d.cfg.Log.Warn("a successor is not let in", "error", err)
			pause(ctx)
			continue
		}
		d.calls.Go(func() {
			defer func() { _ = conn.Close() }()
			hang := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer hang()
			d.answer(ctx, link{conn})
		})
	}
}

// answer does what a caller wants.
func (d *Door) answer(ctx context.Context, l link) {
	pid, err := l.peer()
	if err == nil {
		err = l.soon()
	}
	var m message
	if err == nil {
		m, _, err = l.receive()
	}
	switch {
	case err != nil:
	case m.Kind == restart:
		outcome := d.restart(ctx)
		_ = l.soon() // the time for the question is over; the send fails where this does
		_ = l.send(outcome)
	case m.Kind == hello:
		d.called(pid)
		d.lead(ctx, l, pid)
		d.hungUp(pid)
	}
}

// lead hands over to a caller, if it is its turn.
func (d *Door) lead(ctx context.Context, l link, pid int) {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	default:
		_ = l.send(message{Kind: failed, Text: "another successor is just coming up"})
		return
	}
	if err := d.cfg.Host.Refuses(pid); err != nil {
		_ = l.send(message{Kind: failed, Text: err.Error()})
		d.note(err)
		return
	}
	if err := d.handOver(l); err != nil {
		d.fell(ctx, pid, err)
		return
	}
	d.mu.Lock()
	d.over, d.child = true, nil
	asked := d.asked
	d.asked = nil
	d.mu.Unlock()
	d.cfg.Host.Gone(pid)
	d.cfg.Sockets.Close()
	if asked != nil {
		asked <- message{Kind: done, Text: fmt.Sprintf("process %d serves; process %d ends with its last connection", pid, os.Getpid())}
	}
	_ = d.socket.Close() // the successor has one of its own there
}

// handOver returns nil when the caller serves.
func (d *Door) handOver(l link) error {
	var unprepared error
	if !d.isGiven() {
		unprepared = d.cfg.Host.Prepare()
	}
	if err := l.patiently(); err != nil { // it may have taken longer than the time for a word
		return err
	}
	if unprepared != nil {
		_ = l.send(message{Kind: failed, Text: unprepared.Error()})
		return unprepared
	}
	if err := d.offer(l); err != nil {
		return err
	}
	if _, err := l.expect(take); err != nil {
		return err
	}
	if !d.isGiven() {
		d.cfg.Sockets.Hold()
		knows := d.cfg.Host.Give()
		d.mu.Lock()
		d.given, d.knows = true, knows
		d.mu.Unlock()
	}
	if err := d.give(l); err != nil {
		return err
	}
	if err := l.patiently(); err != nil {
		return err
	}
	_, err := l.expect(ready)
	return err
}

func (d *Door) isGiven() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.given
}

// offer names the sockets.
func (d *Door) offer(l link) error {
	keys, _ := d.cfg.Sockets.all()
	for len(keys) > 0 {
		n := min(len(keys), maxFiles)
		if err := l.send(message{Kind: offer, Keys: keys[:n]}); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return l.send(message{Kind: offer})
}

// give sends the sockets, and what the successor is to know.
func (d *Door) give(l link) error {
	keys, fds := d.cfg.Sockets.all()
	for len(keys) > 0 {
		n := min(len(keys), maxFiles)
		if err := l.send(message{Kind: sockets, Keys: keys[:n]}, fds[:n]...); err != nil {
			return err
		}
		keys, fds = keys[n:], fds[n:]
	}
	d.mu.Lock()
	knows := d.knows
	d.mu.Unlock()
	f, err := memory(knows)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // the other side has it, or nobody
	return l.send(message{Kind: yours}, int(f.Fd()))
}
