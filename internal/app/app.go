// Package app puts a server together: it makes every part, joins the hands
// through the small interfaces they declare, starts them, and stops them in
// the reverse order. It is the only package that knows them all.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"neargate/internal/handover"
	"neargate/internal/identity"
)

// Server is a server with its state open. Run serves; Close must follow.
type Server struct {
	cfg      Config
	log      *slog.Logger
	listener net.Listener
	public   announcement
	parts    *parts
	taking   *handover.Taking // nil: it has no predecessor
	passed   atomic.Bool      // another process takes over
	isReady  chan struct{}    // closed when it serves
}

// Open checks that the engine can work here, opens the state, takes the
// address, and makes every part. Nothing is served before Run. What earlier
// servers left that died without cleaning up is removed first.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (_ *Server, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Data, err = filepath.Abs(cfg.Data); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := cfg.Engine.Check(); err != nil {
		return nil, err
	}
	if err := makeData(cfg.Data); err != nil {
		return nil, err
	}
	if cfg.Sockets == nil {
		cfg.Sockets = handover.NewSockets()
	}
	s := &Server{cfg: cfg, log: log, isReady: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close(ctx))
		}
	}()
	knew, err := s.takeOver(ctx)
	if err != nil {
		return nil, err
	}
	if s.listener, err = cfg.Sockets.Listen(ctx, net.ListenConfig{}, apiSocket, "tcp", cfg.Listen); err != nil {
		return nil, &Unlistenable{"listen", cfg.Listen, err}
	}
	listen := s.listener.Addr().(*net.TCPAddr).AddrPort()
	address, scheme := cfg.address(s.listener.Addr()), "http://"
	if cfg.TLS.on() {
		scheme = "https://"
	}
	s.public.path = filepath.Join(cfg.Data, AccessFile)
	access := Access{Endpoint: scheme + address, Local: scheme + beside(listen), Region: cfg.Place.Region}
	if s.listener, access.CAFile, err = cfg.secure(s.listener); err != nil {
		return nil, err
	}
	s.public.access = access
	db, err := openState(cfg)
	if err != nil {
		return nil, err
	}
	keys, err := identity.Open(filepath.Join(cfg.Data, keysFile), time.Now, s.public.keyChanged)
	if err == nil {
		err = s.public.keyChanged(keys.Newest())
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if s.parts, err = newParts(ctx, cfg, db, reach{keys, access.Endpoint, address, listen, s.taking != nil, knew}, log); err != nil {
		return nil, err
	}
	return s, nil
}

// apiSocket names the socket of the APIs.
const apiSocket = "apis"

// Endpoint is the URL of the APIs.
func (s *Server) Endpoint() string { return s.public.get().Endpoint }

// Access is how a client reaches the server.
func (s *Server) Access() Access { return s.public.get() }

// Run serves until ctx ends, and returns its cause; or nil when another process has
// taken its place, and the last connection has ended. Tasks go on running, unless
// Config.StopTasks has them stopped first: until then they are served.
func (s *Server) Run(ctx context.Context) error {
	defer func() {
		if !s.passed.Load() {
			s.public.withdraw()
		}
	}()

	// The parts end after the door is closed, so that a call under way finds
	// them alive.
	partsCtx, stopParts := context.WithCancelCause(context.WithoutCancel(ctx))
	group, partsCtx := errgroup.WithContext(partsCtx)
	s.parts.run(partsCtx, group)
	serving, stopServing := context.WithCancelCause(context.WithoutCancel(ctx))
	decided := make(chan struct{})
	h := s.newHanding(ctx, stopServing, decided)
	defer h.work.Wait()
	defer h.cut()
	defer context.AfterFunc(ctx, h.stop)()
	group.Go(func() error {
		defer func() { stopServing(context.Cause(ctx)) }()
		select {
		case <-partsCtx.Done():
		case <-ctx.Done():
			if !s.passed.Load() {
				s.stopTasks(partsCtx)
			}
		}
		return nil
	})
	group.Go(func() error {
		defer close(decided)
		defer s.parts.deciding.Wait()
		defer stopParts(errServed)
		select {
		case <-partsCtx.Done():
			return nil
		case <-s.parts.scheduler.Ready(): // which has waited for the balancer
		}
		if err := s.public.publish(); err != nil { // the disk is full
			s.log.Error("clients do not find the server by its file; name it and its key to them", "error", err)
		}
		s.ready(ctx)
		return s.serve(serving, partsCtx)
	})
	group.Go(func() error { return s.letIn(ctx, partsCtx, h) })
	if err := group.Wait(); err != nil && !errors.Is(err, errServed) {
		return err
	}
	return context.Cause(ctx)
}

// writeGrace is how long the ends of killed tasks may take to get on disk.
const writeGrace = time.Second

// stopTasks stops the tasks, if that is wanted.
func (s *Server) stopTasks(ctx context.Context) {
	if s.cfg.StopTasks == 0 {
		return
	}
	select {
	case <-ctx.Done():
		return
	case <-s.parts.scheduler.Ready():
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StopTasks+writeGrace)
	defer cancel()
	if err := s.parts.scheduler.StopAll(ctx, s.cfg.StopTasks); err != nil {
		s.log.Warn("tasks are left", "error", err)
	}
}

var errServed = errors.New("the server was told to stop")

// Close releases what Open opened, also when ctx has ended. Tasks go on
// running.
func (s *Server) Close(ctx context.Context) error {
	var errs []error
	if s.parts != nil {
		errs = append(errs, s.parts.close(ctx))
	}
	if s.taking != nil {
		_ = s.taking.Close() // a predecessor that waits takes up again
	}
	if s.cfg.Sockets != nil {
		s.cfg.Sockets.Close()
	}
	if s.listener != nil {
		if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Destroy is Close, and then removes every task and everything else that the
// server has on this machine, its data directory included.
func (s *Server) Destroy(ctx context.Context) error {
	return errors.Join(s.Close(ctx), s.cfg.Engine.Cleanup(ctx, s.cfg.Data), os.RemoveAll(s.cfg.Data))
}
