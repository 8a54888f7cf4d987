package metric

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"neargate/internal/model"
	"neargate/internal/store/boltfile"
)

// Store keeps datapoints. Make one with Open, fill it with Put, and let Run
// write and roll up what it gathers.
type Store struct {
	db  *boltfile.File
	log *slog.Logger

	// journaling is held by the goroutine that writes to the journal what all
	// callers of PutDurably wait for. It is taken before late.
	journaling chan struct{}
	journal    *journal
	puttersMu  sync.Mutex
	putters    []*putter // guarded by puttersMu

	// late is held by whoever puts points that are old enough to be in a
	// roll-up, and during a roll-up. It is taken before mu.
	late sync.Mutex
	// writing is held while blocks go to the file. It is taken before mu.
	writing sync.Mutex

	// Guarded by mu.
	mu     sync.RWMutex
	series map[string][]*series // by metricKey; one for each unit
	byID   []*series            // index is series.id
	dirty  map[*series]struct{}
	edges  edges
	// taken is the number of the newest entry of the journal that was put.
	taken uint64
}

// edges are moments that divide what is where, in Unix seconds, by tier.
type edges struct {
	// Rolled: tier i holds everything before Rolled[i]; Rolled[0] is unused.
	Rolled [len(tiers)]int64
	// Pruned: tier i holds nothing before Pruned[i].
	Pruned [len(tiers)]int64
}

// series is one metric in one unit.
type series struct {
	id     uint32
	metric model.MetricID
	unit   string
	gauge  bool
	newest int64 // time of the newest datapoint, Unix seconds

	unsaved bool // the record in the file is missing, or its hour of newest is old
	heads   []*head
}

// head is a block that is being written or not yet in the file.
type head struct {
	tier int
	block
	dirty bool
}

// Open opens or makes the datapoint file at path, with its directory. One that
// cannot be read is put aside: metrics are not worth a server that does not
// start. Only one process can have the file open; the error is then
// store.ErrLocked.
func Open(path string, log *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make metrics directory: %w", err)
	}
	s, err := openAt(path, log, bolt.Options{})
	damage, ok := errors.AsType[*boltfile.Damaged](err)
	if !ok {
		return s, err
	}
	aside := fmt.Sprintf("%s.damaged-%d", path, time.Now().Unix())
	log.Error("metrics are damaged; a new file begins", "error", damage, "aside", aside)
	if err := os.Rename(path, aside); err != nil {
		return nil, fmt.Errorf("put damaged metrics aside: %w", err)
	}
	return openAt(path, log, bolt.Options{})
}

func openAt(path string, log *slog.Logger, opts bolt.Options) (_ *Store, err error) {
	if err := boltfile.Create(path); err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	opts.FreelistType, opts.NoFreelistSync = bolt.FreelistMapType, true
	db, err := boltfile.Open(path, opts)
	if err != nil {
		return nil, err
	}
	s := &Store{
		db: db, log: log, series: map[string][]*series{}, dirty: map[*series]struct{}{}, journaling: make(chan struct{}, 1),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	s.journal, err = openJournal(path, s.taken, func(number uint64, p putRecord) {
		if err := s.put(time.Unix(p.Now, 0), p.Data, number); err != nil {
			log.Error("datapoints of before the last stop are lost", "error", err)
		}
	})
	return s, err
}

// Close writes what is in memory and closes the file.
func (s *Store) Close() error {
	return errors.Join(s.flush(), s.journal.close(), s.db.Close())
}

// Run writes, rolls up and prunes until ctx ends; it returns nil then.
func (s *Store) Run(ctx context.Context) error {
	timer := time.NewTimer(flushEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-timer.C:
			if err := s.keepHouse(now); err != nil {
				s.log.Error("metrics not written", "error", err)
			}
			timer.Reset(min(flushAtLeast, max(flushEvery, flushShare*time.Since(now))))
		}
	}
}

// keepHouse is one round of Run.
func (s *Store) keepHouse(now time.Time) error {
	err := errors.Join(s.flush(), s.roll(now.Unix()), s.prune(now.Unix()))
	s.sweep(now.Unix())
	return err
}

// Put adds datapoints; now tells which of them are late. Points beyond every
// retention are dropped. Dimensions must be sorted by name.
func (s *Store) Put(now time.Time, data []model.Datum) error { return s.put(now, data, 0) }

// put is Put, of the journal's entry with the number if that is not 0.
func (s *Store) put(now time.Time, data []model.Datum, number uint64) error {
	unix := now.Unix()
	for _, d := range data {
		if d.At.Unix() < unix-lateAfter {
			s.late.Lock()
			defer s.late.Unlock()
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = max(s.taken, number)
	for i := range data {
		if err := s.putLocked(unix, &data[i]); err != nil {
			return fmt.Errorf("put datapoint of %s %s: %w", data[i].ID.Namespace, data[i].ID.Name, err)
		}
	}
	return nil
}

func (s *Store) putLocked(now int64, d *model.Datum) error {
	p := pointOf(*d)
	step := int64(minute)
	if d.Resolution == 1 {
		step = 1
	}
	t := floor(d.At.Unix(), step)
	se := s.seriesLocked(d)
	if t/hour > se.newest/hour {
		se.unsaved = true
	}
	se.newest = max(se.newest, t)
	for i, ti := range tiers {
		inTier := t >= now-ti.keep && t >= s.edges.Pruned[i]
		if i == 0 && t >= s.edges.Rolled[1] { // not rolled up yet, however old
			inTier = true
		}
		if i > 0 && t >= s.edges.Rolled[i] { // the roll-up will bring it
			break
		}
		if !inTier {
			continue
		}
		h, err := s.headLocked(se, i, floor(t, ti.block))
		if err != nil {
			return err
		}
		p.at = floor(t, ti.step)
		if err := h.put(p); err != nil {
			return err
		}
		h.dirty = true
	}
	s.dirty[se] = struct{}{}
	return nil
}

// headLocked returns the head of a block, read back from the file if it was
// written before.
func (s *Store) headLocked(se *series, tier int, start int64) (*head, error) {
	for _, h := range slices.Backward(se.heads) {
		if h.tier == tier && h.start == start {
			return h, nil
		}
	}
	h := &head{tier: tier, block: block{start: start, step: tiers[tier].step}}
	err := s.db.View(func(tx *bolt.Tx) error {
		data := tx.Bucket(tierBucket(tier)).Get(blockKey(start, se.id))
		if data == nil {
			return nil
		}
		var err error
		h.block, err = openBlock(data, start, tiers[tier].step)
		return err
	})
	if err != nil {
		return nil, err
	}
	se.heads = append(se.heads, h)
	return h, nil
}

// seriesLocked finds or makes the series of a datum.
func (s *Store) seriesLocked(d *model.Datum) *series {
	var buf [256]byte
	key := appendMetricKey(buf[:0], d.ID)
	unit := d.Unit
	if unit == "" {
		unit = "None"
	}
	for _, se := range s.series[string(key)] {
		if se.unit == unit {
			return se
		}
	}
	se := &series{id: uint32(len(s.byID)), metric: d.ID, unit: unit, gauge: d.Gauge, unsaved: true}
	s.byID = append(s.byID, se)
	s.series[string(key)] = append(s.series[string(key)], se)
	return se
}

// Key returns a text that orders and tells apart metrics as List does.
func Key(id model.MetricID) string { return string(appendMetricKey(nil, id)) }

// appendMetricKey writes the identity of a metric; no name holds a 0 byte.
func appendMetricKey(b []byte, id model.MetricID) []byte {
	b = append(append(append(b, id.Namespace...), 0), id.Name...)
	for _, d := range id.Dimensions {
		b = append(append(append(append(b, 0), d.Name...), 0), d.Value...)
	}
	return b
}
