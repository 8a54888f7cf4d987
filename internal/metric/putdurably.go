package metric

import (
	"encoding/json"
	"fmt"
	"time"

	"neargate/internal/model"
)

// putter is a caller of PutDurably that waits.
type putter struct {
	now     time.Time
	data    []model.Datum
	payload []byte
	done    chan struct{} // closed when err stands
	err     error
}

// PutDurably is Put for datapoints that whoever sent them may forget: they are
// on disk when it returns nil. Callers of one moment share a write.
func (s *Store) PutDurably(now time.Time, data []model.Datum) error {
	payload, err := json.Marshal(putRecord{now.Unix(), data})
	if err != nil {
		return fmt.Errorf("put datapoints: %w", err)
	}
	p := &putter{now: now, data: data, payload: payload, done: make(chan struct{})}
	s.puttersMu.Lock()
	s.putters = append(s.putters, p)
	s.puttersMu.Unlock()
	select {
	case s.journaling <- struct{}{}:
		s.takePutters()
		<-s.journaling
	case <-p.done:
	}
	<-p.done
	return p.err
}

// takePutters writes what callers of PutDurably wait for to the journal, and
// then puts it. Whoever calls it holds journaling, so puts are made in the
// order of their numbers.
func (s *Store) takePutters() {
	s.puttersMu.Lock()
	all := s.putters
	s.putters = nil
	s.puttersMu.Unlock()
	if len(all) == 0 {
		return
	}
	payloads := make([][]byte, len(all))
	for i, p := range all {
		payloads[i] = p.payload
	}
	var err error
	if s.journal.full() {
		err = s.flush()
	}
	var first uint64
	if err == nil {
		first, err = s.journal.add(payloads)
	}
	for i, p := range all {
		if p.err = err; err == nil {
			p.err = s.put(p.now, p.data, first+uint64(i))
		}
		close(p.done)
	}
}
