package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"neargate/internal/balancer"
	"neargate/internal/handover"
	"neargate/internal/store"
)

// known is what a server knows that is not in the state, for its successor.
type known struct {
	Targets []balancer.KnownTarget
}

// takeOver replaces the server that runs on the data directory, if one does. Errors,
// but for those of the last step, leave that one as it is.
func (s *Server) takeOver(ctx context.Context) (knew known, err error) {
	if !s.cfg.Replace {
		return knew, nil
	}
	taking, err := handover.Join(s.cfg.Data)
	if errors.Is(err, handover.ErrNobody) {
		return knew, nil
	}
	if err != nil {
		return knew, err
	}
	if err := s.rehearse(ctx, taking); err != nil {
		taking.Refuse(err)
		return knew, err
	}
	s.taking = taking
	data, err := taking.Take(s.cfg.Sockets)
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, &knew)
	}
	return knew, err
}

// rehearse tries what can fail while there is a way back: the addresses that are not
// handed over, the certificate, and the state, on a copy of the other server's.
func (s *Server) rehearse(ctx context.Context, taking *handover.Taking) error {
	if !taking.Offers(s.cfg.Sockets, apiSocket, "tcp", s.cfg.Listen) {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen)
		if err != nil {
			return &Unlistenable{"listen", s.cfg.Listen, err}
		}
		_ = l.Close() // nothing was written
	}
	if err := s.cfg.TLS.check(); err != nil {
		return err
	}
	return s.rehearseState()
}

// rehearsal is a directory in the data directory, while a copy of the state is tried.
const rehearsal = "rehearsal"

// rehearseState opens a copy of the state, and has it migrated.
func (s *Server) rehearseState() error {
	dir := filepath.Join(s.cfg.Data, rehearsal)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the next start tries again
	trial := filepath.Join(dir, stateFile)
	if err := copyFile(store.CopyOf(filepath.Join(s.cfg.Data, stateFile)), trial); err != nil {
		return fmt.Errorf("copy the state: %w", err)
	}
	db, err := schema(s.cfg.Place).Open(trial)
	if err != nil {
		return err
	}
	return db.Close()
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// ready tells that the server serves: its predecessor, which ends then, or the init
// system.
func (s *Server) ready(ctx context.Context) {
	defer close(s.isReady)
	s.cfg.Sockets.CloseRest()
	if s.taking == nil {
		if err := handover.Notify(ctx, s.cfg.Notify, "READY=1"); err != nil {
			s.log.Error("the init system does not know that the server is ready", "error", err)
		}
		return
	}
	if err := s.taking.Ready(); err != nil {
		s.log.Info("the predecessor has ended", "error", err)
	}
}

// letIn lets a successor in, once the server is ready.
func (s *Server) letIn(ctx, parts context.Context, h *handing) error {
	if s.cfg.Ephemeral {
		return nil
	}
	select {
	case <-parts.Done():
		return nil
	case <-s.isReady:
	}
	door, err := handover.OpenDoor(s.cfg.Data, handover.DoorConfig{
		Host: h, Sockets: s.cfg.Sockets, Start: s.cfg.StartSuccessor, Log: s.log.With("part", "handover"),
	})
	if err != nil {
		s.log.Warn("the server cannot be replaced while it runs", "error", err)
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(parts, func() {
		if !s.passed.Load() { // they have failed
			stop()
		}
	})()
	door.Serve(ctx)
	return nil
}
