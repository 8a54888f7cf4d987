package http1

import (
	"time"

	"neargate/internal/balancer/exchange"
)

// reading is the reads of one wait. They take limit together, from the first that
// brings too little: else a target that sends little by little, or without end,
// would keep its reader from all else.
type reading struct {
	limit time.Duration
	more  bool // something has come
	until time.Time
}

func (w *reading) read(t *try, p []byte) (int, error) {
	left := w.limit
	switch {
	case !w.more:
		w.more = true
	case w.until.IsZero():
		w.until = time.Now().Add(w.limit)
	default:
		left = time.Until(w.until)
	}
	if left <= 0 {
		return 0, exchange.ErrIdle
	}
	return t.read(p, left)
}
