package metric

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"neargate/internal/model"
	"neargate/internal/store/boltfile"
)

// The file's buckets: "series" holds a record by id, "t0" to "t3" the blocks
// of each tier by start and series id, "meta" the format, the edges, and how much
// of the journal the blocks hold.
const (
	seriesBucket = "series"
	metaBucket   = "meta"
	edgesKey     = "edges"
	takenKey     = "taken" // the number up to which the journal's entries are in the blocks
)

// fileFormat stands in the record of edges; a change of encoding raises it.
const fileFormat = 1

type edgesRecord struct {
	Format int
	edges
}

// seriesRecord is a series in the file.
type seriesRecord struct {
	Metric model.MetricID
	Unit   string
	Gauge  bool
	Newest int64
}

func tierBucket(i int) []byte { return []byte{'t', byte('0' + i)} }

// blockKey orders blocks by time, so that writing appends and pruning cuts off
// the front.
func blockKey(start int64, id uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, uint64(start)), id)
}

// blockStart returns the time in a block's key.
func blockStart(k []byte) int64 { return int64(binary.BigEndian.Uint64(k)) }

// blockSeries returns the series in a block's key.
func blockSeries(k []byte) uint32 { return binary.BigEndian.Uint32(k[8:]) }

// load reads series and edges, and makes the buckets of a new file.
func (s *Store) load() error {
	fresh := false
	err := s.db.View(func(tx *bolt.Tx) error {
		meta, names := tx.Bucket([]byte(metaBucket)), tx.Bucket([]byte(seriesBucket))
		if fresh = meta == nil || names == nil; fresh {
			return nil
		}
		if err := s.loadMeta(meta); err != nil {
			return err
		}
		return names.ForEach(s.loadSeries)
	})
	if err != nil || !fresh {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{[]byte(metaBucket), []byte(seriesBucket), tierBucket(0), tierBucket(1), tierBucket(2), tierBucket(3)} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) loadMeta(meta *bolt.Bucket) error {
	if number := meta.Get([]byte(takenKey)); number != nil {
		s.taken = binary.BigEndian.Uint64(number)
	}
	data := meta.Get([]byte(edgesKey))
	if data == nil {
		return nil
	}
	r := edgesRecord{}
	if err := json.Unmarshal(data, &r); err != nil {
		return &boltfile.Damaged{Path: "metrics", Err: fmt.Errorf("edges: %w", err)}
	}
	if r.Format != fileFormat {
		return fmt.Errorf("file has format %d, this version reads %d", r.Format, fileFormat)
	}
	s.edges = r.edges
	return nil
}

func (s *Store) loadSeries(k, v []byte) error {
	r := seriesRecord{}
	if err := json.Unmarshal(v, &r); err != nil {
		return &boltfile.Damaged{Path: "metrics", Err: fmt.Errorf("series %x: %w", k, err)}
	}
	se := &series{id: binary.BigEndian.Uint32(k), metric: r.Metric, unit: r.Unit, gauge: r.Gauge, newest: r.Newest}
	for uint32(len(s.byID)) <= se.id { // ids are dense but for series that have expired
		s.byID = append(s.byID, nil)
	}
	s.byID[se.id] = se
	key := string(appendMetricKey(nil, se.metric))
	s.series[key] = append(s.series[key], se)
	return nil
}

// change is a head as it was when a flush began.
type change struct {
	series *series
	head   *head
	tier   int
	start  int64
	data   []byte
}

// flush writes every changed block and series in one commit.
func (s *Store) flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.journal.turnOver()
	changes, records, taken := s.takeDirty()
	if len(changes) == 0 && len(records) == 0 {
		return s.journal.release(taken)
	}
	err := s.db.Update(func(tx *bolt.Tx) error {
		names := tx.Bucket([]byte(seriesBucket))
		for id, r := range records {
			data, err := json.Marshal(r)
			if err != nil {
				return err
			}
			if err := names.Put(binary.BigEndian.AppendUint32(nil, id), data); err != nil {
				return err
			}
		}
		for _, c := range changes {
			if err := tx.Bucket(tierBucket(c.tier)).Put(blockKey(c.start, c.series.id), c.data); err != nil {
				return err
			}
		}
		return tx.Bucket([]byte(metaBucket)).Put([]byte(takenKey), binary.BigEndian.AppendUint64(nil, taken))
	})
	s.settle(changes, records, err == nil)
	if err != nil {
		return fmt.Errorf("write datapoints: %w", err)
	}
	return s.journal.release(taken)
}

// takeDirty returns what has to be written, in the order of the file, and the
// number of the journal's newest entry that is part of it.
func (s *Store) takeDirty() ([]change, map[uint32]seriesRecord, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changes []change
	records := map[uint32]seriesRecord{}
	for se := range s.dirty {
		if se.unsaved {
			records[se.id] = seriesRecord{se.metric, se.unit, se.gauge, se.newest}
			se.unsaved = false
		}
		for _, h := range se.heads {
			if h.dirty {
				changes = append(changes, change{se, h, h.tier, h.start, h.data})
			}
		}
	}
	clear(s.dirty)
	slices.SortFunc(changes, func(a, b change) int {
		if a.tier != b.tier {
			return a.tier - b.tier
		}
		return bytes.Compare(blockKey(a.start, a.series.id), blockKey(b.start, b.series.id))
	})
	return changes, records, s.taken
}

// settle lets go of heads that are in the file now, but for the block each
// series is still writing; after a failed write it marks all dirty again.
func (s *Store) settle(changes []change, records map[uint32]seriesRecord, written bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !written {
		for id := range records {
			s.byID[id].unsaved = true
			s.dirty[s.byID[id]] = struct{}{}
		}
		for _, c := range changes {
			s.dirty[c.series] = struct{}{}
		}
		return
	}
	for _, c := range changes {
		if !bytes.Equal(c.data, c.head.data) {
			continue // changed meanwhile: it is in s.dirty again
		}
		c.head.dirty = false
	}
	for _, c := range changes {
		current := floor(c.series.newest, tiers[0].block)
		c.series.heads = slices.DeleteFunc(c.series.heads, func(h *head) bool {
			return !h.dirty && (h.tier != 0 || h.start != current)
		})
	}
}

// saveEdges writes e within tx.
func saveEdges(tx *bolt.Tx, e edges) error {
	data, err := json.Marshal(edgesRecord{fileFormat, e})
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(metaBucket)).Put([]byte(edgesKey), data)
}
