package autoscaler

import (
	"context"
	"slices"
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// memory is what decisions on a scalable target rest on, as it survives a
// restart: cooldowns, alarms that were acted on, the load seen so far. It is
// written before each order and when one is fulfilled, as cooldowns begin then,
// and now and then.
type memory struct {
	CreatedAt time.Time // of the target that it belongs to
	State     scaling.State
}

// memoryEvery is how often what decisions rest on is written where nothing is
// ordered. What a restart loses of it is load, which is measured anew.
const memoryEvery = time.Minute

// watch returns what is remembered of a target; one that was registered anew
// begins anew.
func (a *Autoscaler) watch(t model.ScalableTarget) *watch {
	w := a.watched[t.ResourceID]
	if w == nil || !w.createdAt.Equal(t.CreatedAt) {
		w = &watch{createdAt: t.CreatedAt}
		if m, ok := a.memories.Get(t.ResourceID); ok && m.CreatedAt.Equal(t.CreatedAt) {
			w.state = m.State
			w.state.Policies = slices.Clone(m.State.Policies)
		}
		a.watched[t.ResourceID] = w
	}
	return w
}

// memorize writes what decisions on a target rest on.
func (a *Autoscaler) memorize(ctx context.Context, id string, w *watch) error {
	m := memory{CreatedAt: w.createdAt, State: w.state}
	m.State.Policies = slices.Clone(w.state.Policies)
	if err := a.memories.Put(context.WithoutCancel(ctx), id, m); err != nil {
		return err
	}
	w.written = w.state.Last
	return nil
}

// memorizeAll writes what has changed of the targets that are there.
func (a *Autoscaler) memorizeAll(ctx context.Context) {
	for id, w := range a.watched {
		if t, ok := a.targets.Get(id); !ok || !t.CreatedAt.Equal(w.createdAt) || w.state.Last.Equal(w.written) {
			continue
		}
		a.report(ctx, "memory of decisions not kept", id, a.memorize(ctx, id, w))
	}
}

// forget deletes what decisions on a target rested on.
func (a *Autoscaler) forget(ctx context.Context, id string) error {
	_, err := a.memories.Delete(ctx, id)
	return err
}
