package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"neargate/internal/app"
	"neargate/internal/cli/demo"
)

var errUsed = errors.New("its use is over")

// withServer runs a server of this process's own, in a directory of its own,
// for as long as use does, and takes both away with all that the server made.
func withServer(ctx context.Context, listen string, log *slog.Logger, use func(context.Context, *app.Server) error) (err error) {
	data, err := os.MkdirTemp("", "neargate-own-")
	if err != nil {
		return fmt.Errorf("make a data directory: %w", err)
	}
	conf := app.Default()
	conf.Data, conf.Listen, conf.Ephemeral = data, listen, true
	srv, err := app.Open(ctx, conf, log)
	if err != nil {
		return errors.Join(explain(err), os.RemoveAll(data))
	}
	defer func() { err = errors.Join(err, srv.Destroy(context.WithoutCancel(ctx))) }()

	serverCtx, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	var serving sync.WaitGroup
	useCtx, broken := context.WithCancelCause(ctx)
	serving.Go(func() {
		if err := srv.Run(serverCtx); !errors.Is(err, errUsed) {
			broken(fmt.Errorf("the server ended: %w", err))
		}
	})
	defer interruptOnBrokenPipe(broken)()
	err = use(useCtx, srv)
	if cause := context.Cause(useCtx); cause != nil && err != nil {
		err = cause // interrupted, or the server is gone: not what failed because of it
	}
	stop(errUsed)
	serving.Wait()
	broken(nil)
	return err
}

// interruptOnBrokenPipe ends a use whose output nobody reads any more (neargate
// demo | head -1), instead of the process: what the server made goes with it.
func interruptOnBrokenPipe(end context.CancelCauseFunc) (stop func()) {
	pipe, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(pipe, syscall.SIGPIPE)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-pipe:
			end(errInterrupted)
		case <-done:
		}
	})
	return func() {
		signal.Stop(pipe)
		close(done)
		waiting.Wait()
	}
}

// access is how the AWS clients of this process reach its own server.
func access(srv *app.Server) demo.Server {
	a := srv.Access()
	return demo.Server{Endpoint: a.Endpoint, Region: a.Region, AccessKey: a.AccessKey, SecretKey: a.SecretKey}
}
