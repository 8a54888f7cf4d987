package app

import (
	"sync"
	"time"

	"neargate/internal/decide/forecast"
	"neargate/internal/decide/policy"
	"neargate/internal/logs"
	"neargate/internal/metric"
	"neargate/internal/model"
)

// relay passes what the runtime tells of tasks on to the scheduler. The runtime
// may tell before the scheduler has been made; that waits.
type relay struct {
	mu   sync.Mutex
	to   func(model.RunState)
	held []model.RunState
}

func (r *relay) tell(s model.RunState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == nil {
		r.held = append(r.held, s)
		return
	}
	r.to(s)
}

func (r *relay) connect(to func(model.RunState)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
	for _, s := range r.held {
		to(s)
	}
	r.held = nil
}

// pastLoad is what the autoscaler asks of the metrics.
type pastLoad struct{ *metric.Store }

// Minutes gives a statistic of a metric by the minute.
func (m pastLoad) Minutes(src policy.Source, from, to time.Time) ([]forecast.Minute, error) {
	s, err := metric.ParseStatistic(src.Statistic)
	if err != nil {
		return nil, err
	}
	points, err := m.Query(metric.Query{ID: src.ID, Start: from, End: to, Period: time.Minute})
	if err != nil {
		return nil, err
	}
	out := make([]forecast.Minute, 0, len(points))
	for _, p := range points {
		if v, ok := p.Value(s); ok {
			out = append(out, forecast.Minute{At: p.At, Value: v})
		}
	}
	return out, nil
}

// logGroups is what the scheduler asks of the logs.
type logGroups struct{ *logs.Logs }

// HasGroup says whether there is a group of that name.
func (l logGroups) HasGroup(name string) bool {
	_, err := l.Group(name)
	return err == nil
}
