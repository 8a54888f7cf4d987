package balancer

import (
	"context"
	"errors"
	"net/http"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/routing"
)

// awaits reports whether a task is on its way to a group that has none ready, and
// has the first one ordered: Config.Awaken. No lock is held.
func (g *group) awaits() bool { return g.awaken != nil && g.awaken(g.arn) }

// stand has a request wait until a first task is healthy.
func (w *weightedGroup) stand(r *exchange.Request, limit time.Duration) (*target, error) {
	r.Spare(routing.FirstTask)
	ctx, cancel := context.WithTimeoutCause(r.Context(), limit, errQueued)
	defer cancel()
	t, err := w.group.wait(ctx, routing.MostStandby)
	switch {
	case errors.Is(err, errCrowded):
		return nil, refuse(http.StatusServiceUnavailable, "too many requests wait for the first task")
	case errors.Is(err, errQueued):
		return nil, refuse(http.StatusServiceUnavailable, "no task became healthy within the idle timeout")
	case err != nil:
		return nil, err
	case t == nil:
		return nil, refuse(http.StatusServiceUnavailable, "no target registered")
	}
	return t, nil
}
