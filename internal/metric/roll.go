package metric

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// roll fills each coarser tier from the one before it, block by block, up to
// what is complete at now.
func (s *Store) roll(now int64) error {
	for to := 1; to < len(tiers); to++ {
		for {
			start, due, err := s.nextRoll(to, now)
			if err != nil {
				return err
			}
			if !due {
				break
			}
			if err := s.rollBlock(to, start); err != nil {
				return fmt.Errorf("roll up to %d s: %w", tiers[to].step, err)
			}
		}
	}
	return nil
}

// nextRoll finds the next block of tier to that has something to be rolled up
// and is complete, jumping over time without data.
func (s *Store) nextRoll(to int, now int64) (start int64, due bool, err error) {
	s.mu.RLock()
	from := s.edges.Rolled[to]
	ready := now - rollGrace // data are complete up to here
	if to > 1 {
		ready = min(ready, s.edges.Rolled[to-1])
	}
	s.mu.RUnlock()
	size := tiers[to].block
	ready = floor(ready, size)
	if from >= ready {
		return 0, false, nil
	}
	s.late.Lock() // or a late point could come to stand before the edge unseen
	defer s.late.Unlock()
	// What is only in memory must be seen too.
	if err := s.flush(); err != nil {
		return 0, false, err
	}
	first := ready
	err = s.db.View(func(tx *bolt.Tx) error {
		if k, _ := tx.Bucket(tierBucket(to - 1)).Cursor().Seek(blockKey(from, 0)); k != nil {
			first = min(first, floor(blockStart(k), size))
		}
		return nil
	})
	if err != nil {
		return 0, false, err
	}
	if first > from {
		if err := s.advance(func(e *edges) { e.Rolled[to] = first }, nil); err != nil {
			return 0, false, err
		}
	}
	return first, first < ready, nil
}

// advance changes the edges, in the file together with write.
func (s *Store) advance(change func(*edges), write func(*bolt.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	next := s.edges // only advance writes it, so reading needs no more than writing
	change(&next)
	err := s.db.Update(func(tx *bolt.Tx) error {
		if write != nil {
			if err := write(tx); err != nil {
				return err
			}
		}
		return saveEdges(tx, next)
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edges = next
	return nil
}

// rollBlock makes tier to's blocks of one stretch of time, for all series.
func (s *Store) rollBlock(to int, start int64) error {
	s.late.Lock()
	defer s.late.Unlock()
	if err := s.flush(); err != nil {
		return err
	}
	s.mu.RLock()
	gauges := make([]bool, len(s.byID))
	for i, se := range s.byID {
		gauges[i] = se != nil && se.gauge
	}
	s.mu.RUnlock()
	end := start + tiers[to].block
	return s.advance(func(e *edges) { e.Rolled[to] = end }, func(tx *bolt.Tx) error {
		for first := 0; first < len(gauges); first += rollChunk {
			last := min(first+rollChunk, len(gauges))
			if err := rollSeries(tx, to, start, uint32(first), gauges[first:last]); err != nil {
				return err
			}
		}
		return nil
	})
}

// rollChunk is how many series are rolled up in one pass over the finer
// blocks, which bounds the memory it takes.
const rollChunk = 512

// rollSeries rolls up the series from id first on, one for each of gauges.
func rollSeries(tx *bolt.Tx, to int, start int64, first uint32, gauges []bool) error {
	fine, coarse := tiers[to-1], tiers[to]
	folds := make([]*fold, len(gauges))
	cursor := tx.Bucket(tierBucket(to - 1)).Cursor()
	var points []point
	var err error
	for at := start; at < start+coarse.block; at += fine.block {
		limit := blockKey(at, first+uint32(len(gauges)))
		for k, v := cursor.Seek(blockKey(at, first)); k != nil && bytes.Compare(k, limit) < 0; k, v = cursor.Next() {
			i := blockSeries(k) - first
			if points, err = decodeBlock(points, v, at, fine.step); err != nil {
				return err
			}
			if folds[i] == nil {
				folds[i] = &fold{start: start, period: coarse.step, gauge: gauges[i], bins: true}
			}
			folds[i].add(points, to == 1)
		}
	}
	target := tx.Bucket(tierBucket(to))
	for i, f := range folds {
		if f == nil {
			continue
		}
		b := encodeBlock(f.done(), start, coarse.step)
		if err := target.Put(blockKey(start, first+uint32(i)), b.data); err != nil {
			return err
		}
	}
	return nil
}

// pruneBatch is how many blocks one round of pruning takes away: enough to
// keep up with a thousand busy services, few enough not to stall writing.
const pruneBatch = 20_000

// prune removes blocks that are past their retention and rolled up, and series
// that have no datapoint left.
func (s *Store) prune(now int64) error {
	for i, t := range tiers {
		s.mu.RLock()
		cut := floor(now-t.keep, t.block)
		if i+1 < len(tiers) {
			cut = min(cut, s.edges.Rolled[i+1])
		}
		done := cut <= s.edges.Pruned[i]
		s.mu.RUnlock()
		if done {
			continue
		}
		if err := s.advance(func(e *edges) { e.Pruned[i] = cut }, func(tx *bolt.Tx) error {
			return dropBefore(tx.Bucket(tierBucket(i)), cut)
		}); err != nil {
			return fmt.Errorf("prune datapoints of %d s: %w", t.step, err)
		}
		if i == len(tiers)-1 {
			return s.dropSeries(cut)
		}
	}
	return nil
}

// dropBefore removes the oldest blocks before cut, at most pruneBatch; what is
// left goes in later rounds, and no reader looks there any more.
func dropBefore(b *bolt.Bucket, cut int64) error {
	limit := blockKey(cut, 0)
	cursor := b.Cursor()
	for n, k := 0, first(cursor); k != nil && bytes.Compare(k, limit) < 0 && n < pruneBatch; n, k = n+1, first(cursor) {
		if err := cursor.Delete(); err != nil {
			return err
		}
	}
	return nil
}

func first(c *bolt.Cursor) []byte {
	k, _ := c.First()
	return k
}

// sweep lets go of blocks that nobody is writing any more.
func (s *Store) sweep(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, se := range s.byID {
		if se == nil || len(se.heads) == 0 || se.newest > now-rollGrace {
			continue
		}
		se.heads = slices.DeleteFunc(se.heads, func(h *head) bool { return !h.dirty })
	}
}

// dropSeries forgets series without a datapoint since cut.
func (s *Store) dropSeries(cut int64) error {
	s.mu.Lock()
	var gone []uint32
	for id, se := range s.byID {
		if se == nil || se.newest >= cut || len(se.heads) > 0 {
			continue
		}
		gone = append(gone, uint32(id))
		s.forgetLocked(se)
	}
	s.mu.Unlock()
	if len(gone) == 0 {
		return nil
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, id := range gone {
			if err := tx.Bucket([]byte(seriesBucket)).Delete(binary.BigEndian.AppendUint32(nil, id)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) forgetLocked(se *series) {
	s.byID[se.id] = nil
	key := string(appendMetricKey(nil, se.metric))
	s.series[key] = slices.DeleteFunc(s.series[key], func(other *series) bool { return other == se })
	if len(s.series[key]) == 0 {
		delete(s.series, key)
	}
}
