// Package workshop is the web server of a workshop on auto scaling: GET /
// greets with the name of the container, GET /computation costs a few dozen
// milliseconds of CPU. It needs the standard library only and starts cheaply,
// as it runs under a quarter of a CPU.
package workshop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// stopTimeout bounds the wait for requests in flight when the app is told to
// stop; it lies under the 30 s that ECS leaves between SIGTERM and SIGKILL.
const stopTimeout = 25 * time.Second

// Main serves until ctx ends, then finishes the requests in flight. It reads
// PORT (default 8080) and HOSTNAME (default "local") through env, and writes
// one line when it listens and one when it has stopped.
func Main(ctx context.Context, env func(string) (string, bool), stdout io.Writer) error {
	port, ok := env("PORT")
	if !ok || port == "" {
		port = "8080"
	}
	host, ok := env("HOSTNAME")
	if !ok || host == "" {
		host = "local"
	}
	if text, ok := env("STARTUP"); ok && text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fmt.Errorf("STARTUP %q: want a duration like 10s", text)
		}
		if !sleep(ctx, d) {
			return nil
		}
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", ":"+port)
	if err != nil {
		return fmt.Errorf("listen on port %s: %w", port, err)
	}
	return serve(ctx, ln, &handler{host: host, compute: compute}, stdout)
}

// sleep waits, and says whether it was for as long as it should.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// serve runs the app on ln, which it closes.
func serve(ctx context.Context, ln net.Listener, h *handler, stdout io.Writer) error {
	srv := &http.Server{
		Handler:           h.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		// Longer than the 60 s after which a load balancer drops an idle
		// connection, so that the app never closes one under a request.
		IdleTimeout: 75 * time.Second,
	}
	fmt.Fprintf(stdout, "%s listens on %s\n", h.host, ln.Addr())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	// ctx is over, and the requests in flight shall end on their own.
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	err := srv.Shutdown(stopCtx)
	if err != nil {
		err = errors.Join(fmt.Errorf("finish requests in flight: %w", err), srv.Close())
	}
	if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	h.workers.Wait()
	fmt.Fprintf(stdout, "%s stopped\n", h.host)
	return err
}
