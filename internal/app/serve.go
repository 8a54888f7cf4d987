package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"neargate/internal/aws/s3"
	"neargate/internal/aws/sigv4"
	"neargate/internal/aws/wire"
	"neargate/internal/console"
	"neargate/internal/registry"
	"neargate/internal/session"
)

// patience is how long a request, or a body that is not counted, may make no
// progress.
const patience = 30 * time.Second

// serve answers API calls until ctx or the parts end.
func (s *Server) serve(ctx, parts context.Context) error {
	log := s.log.With("part", "api")
	apis := wire.NewHandler(s.parts.faces, s.parts.auth, wire.Config{Log: log})
	objects := steady(s3.New(s.parts.objects, s.parts.auth, s3.Config{
		Place: s.cfg.Place, Names: s.cfg.names(s.listener.Addr()), Log: log,
	}))
	doors := []door{{
		name: "the APIs", listener: s.listener, handler: orObjects(s.handler(ctx, apis), objects), most: apiConns(), each: apiConns(),
	}}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	end := context.AfterFunc(parts, stop)
	defer end()
	group, ctx := errgroup.WithContext(ctx)
	if tasks := s.parts.taskPorts; tasks.host != nil {
		doors = append(doors, tasks.door(orObjects(apis, objects)))
		group.Go(func() error { return s.parts.metadata.Serve(ctx, tasks.metadata) })
	}
	for _, d := range doors {
		group.Go(func() error { return d.serve(ctx, s.log) })
	}
	return group.Wait()
}

// door is a listener and who answers there.
type door struct {
	name     string
	listener net.Listener
	handler  http.Handler
	// most is how many connections there may be; each, how many from one address.
	most, each int
}

// serve answers until ctx ends.
func (d door) serve(ctx context.Context, log *slog.Logger) error {
	srv := &http.Server{
		Handler:           d.handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       patience, // handlers of bodies set limits of their own
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10, // AWS's load balancers take as much; 1 MiB for each connection would add up
		ConnState:         newConnections(d.most, d.each).changed,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(d.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", d.name, err)
	case <-ctx.Done():
	}
	_ = d.listener.Close() // first: Shutdown does not know a connection that is just being accepted
	ended := <-failed
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		_ = srv.Close() // calls that outlast the grace are cut off
	}
	if !errors.Is(ended, net.ErrClosed) {
		return fmt.Errorf("serve %s: %w", d.name, ended)
	}
	return nil
}

// orObjects passes on what is signed for S3, whose paths are buckets and keys of
// any form, and the rest to another handler.
func orObjects(next, objects http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sigv4.ServiceOf(r) == s3.Signing {
			objects.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// handler joins the AWS APIs, the registry, the sessions of ECS Exec and the pages
// about the server. What has no end of its own ends with ctx.
func (s *Server) handler(ctx context.Context, apis http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v2/", steady(s.parts.registry.Handler()))
	mux.Handle(session.Path, s.parts.sessions.Handler())
	mux.Handle(registry.ImagesPath, steady(s.parts.registry.ImagesHandler()))
	mux.Handle(registry.ImagesPath+"/", s.parts.registry.ImagesHandler())
	mux.Handle("/_neargate/", console.Handler(s.cfg.names(s.listener.Addr()), console.Sources{
		Services: s.parts.ecs, Decisions: s.parts.autoscaler, Balancer: s.parts.balancer, Consumption: consumption{s.parts}, Names: nameDirectory{s.parts}, Authority: s.parts.authority,
		Logs: s.parts.balancer, Signed: s.parts.signed, AtEnd: func(f func()) func() bool { return context.AfterFunc(ctx, f) },
	}))
	mux.Handle("/", apis)
	return mux
}

// signed reports whether a request without a body is signed for a service by one who
// has a key.
func (p *parts) signed(r *http.Request, service string) error {
	check, err := p.auth.Authenticate(r, service)
	if err != nil {
		return err
	}
	_, err = check(nil)
	return err
}

// steady lets a body, such as the layer of an image, take as long as it needs
// while it goes on arriving.
func steady(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = steadyBody{r.Body, http.NewResponseController(w)}
		next.ServeHTTP(w, r)
	})
}

type steadyBody struct {
	io.ReadCloser
	conn *http.ResponseController
}

// Read implements io.Reader.
func (b steadyBody) Read(p []byte) (int, error) {
	if err := b.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	return b.ReadCloser.Read(p)
}
