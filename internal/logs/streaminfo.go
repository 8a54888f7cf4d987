package logs

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// StreamInfo is a stream with what its events tell. Times are milliseconds
// since 1970.
type StreamInfo struct {
	Stream

	ARN         string
	Empty       bool  // the next three are then zero
	First, Last int64 // times of the earliest and latest events
	Ingested    int64 // when the last came
}

// Streams describes the streams of a group whose name begins with prefix, by
// name or, with byTime, by the time of their last event. Code:
// ResourceNotFoundException.
func (l *Logs) Streams(group, prefix string, byTime, descending bool) ([]StreamInfo, error) {
	g, err := l.Group(group)
	if err != nil {
		return nil, err
	}
	var out []StreamInfo
	for _, s := range l.streams.List(group + ":" + prefix) {
		info, err := l.describe(g, s)
		if errors.Is(err, errGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	slices.SortStableFunc(out, func(a, b StreamInfo) int {
		c := strings.Compare(a.Name, b.Name)
		if byTime {
			c = cmp.Or(cmp.Compare(a.Last, b.Last), c)
		}
		if descending {
			c = -c
		}
		return c
	})
	return out, nil
}

func (l *Logs) describe(g Group, s Stream) (StreamInfo, error) {
	info := StreamInfo{Stream: s, ARN: g.ARN + ":log-stream:" + s.Name}
	j, err := l.journal(s)
	if err != nil {
		return info, err
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	if info.Empty = j.count == 0; !info.Empty {
		info.First, info.Last, info.Ingested = j.first, j.last, j.ingested
	}
	return info, nil
}
