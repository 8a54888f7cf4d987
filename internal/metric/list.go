package metric

import (
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
)

// Filter picks metrics. Zero fields pick all.
type Filter struct {
	Namespace, Name string
	Dimensions      []model.Dimension // each must be there; Value "" takes any
	Since           time.Time         // with a datapoint then or later
}

// List returns the metrics that f picks, in order of namespace, name and
// dimensions.
func (s *Store) List(f Filter) []model.MetricID {
	since := f.Since.Unix()
	found := map[string]model.MetricID{}
	s.mu.RLock()
	for key, units := range s.series {
		for _, se := range units {
			if se.newest >= since && f.takes(se.metric) {
				found[key] = se.metric
			}
		}
	}
	s.mu.RUnlock()
	keys := make([]string, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, strings.Compare)
	out := make([]model.MetricID, len(keys))
	for i, key := range keys {
		out[i] = found[key]
	}
	return out
}

func (f Filter) takes(id model.MetricID) bool {
	if f.Namespace != "" && f.Namespace != id.Namespace || f.Name != "" && f.Name != id.Name {
		return false
	}
	for _, want := range f.Dimensions {
		if !slices.ContainsFunc(id.Dimensions, func(d model.Dimension) bool {
			return d.Name == want.Name && (want.Value == "" || want.Value == d.Value)
		}) {
			return false
		}
	}
	return true
}
