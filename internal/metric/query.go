package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"neargate/internal/model"
)

// Query asks for one metric by period. Periods begin at Start and go on to
// End, which is not part of them; the last may be cut short. Start and Period
// are whole seconds; for periods of a minute and more, Start must be on the
// minute.
type Query struct {
	ID         model.MetricID // dimensions sorted by name
	Unit       string         // "" asks for all units
	Start, End time.Time
	Period     time.Duration
	// Percentiles says that percentiles will be asked of the answer; without
	// it they are not there, and reading is cheaper.
	Percentiles bool
}

// Datapoint is what was measured in one period, in one unit.
type Datapoint struct {
	At   time.Time // start of the period
	Unit string
	p    point
}

// Samples is how many values went into d.
func (d Datapoint) Samples() float64 { return d.p.n }

// Value returns a statistic of d. ok is false for a percentile of values that
// came as a statistic set, or that the query did not ask for.
func (d Datapoint) Value(s Statistic) (v float64, ok bool) { return s.of(d.p) }

// Query returns the periods that have data, oldest first.
func (s *Store) Query(q Query) (out []Datapoint, err error) {
	err = s.db.Guard(func() error {
		out, err = s.query(q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read metric %s %s: %w", q.ID.Namespace, q.ID.Name, err)
	}
	return out, nil
}

func (s *Store) query(q Query) ([]Datapoint, error) {
	v, err := s.view(q)
	if err != nil {
		return nil, err
	}
	var out []Datapoint
	for _, one := range v.series {
		points, err := one.read(v.tx, v.edges, q)
		if err != nil {
			_ = v.tx.Rollback() // of a reading transaction: it has nothing to lose
			return nil, err
		}
		for _, p := range points {
			out = append(out, Datapoint{At: time.Unix(p.at, 0).UTC(), Unit: one.unit, p: p})
		}
	}
	if v.tx != nil {
		_ = v.tx.Rollback() // as above
	}
	if len(v.series) > 1 {
		slices.SortStableFunc(out, func(a, b Datapoint) int { return cmp.Compare(a.At.Unix(), b.At.Unix()) })
	}
	return out, nil
}

// view is a consistent sight of some series: what was in memory at one moment,
// and the file as it was then.
type view struct {
	tx     *bolt.Tx // nil when there are no series
	edges  edges
	series []seriesView
}

type seriesView struct {
	id    uint32
	unit  string
	gauge bool
	heads []head // with their data as they were
}

func (s *Store) view(q Query) (view, error) {
	var buf [256]byte
	key := appendMetricKey(buf[:0], q.ID)
	s.mu.RLock()
	defer s.mu.RUnlock()
	v := view{edges: s.edges}
	for _, se := range s.series[string(key)] {
		if q.Unit != "" && q.Unit != se.unit {
			continue
		}
		one := seriesView{id: se.id, unit: se.unit, gauge: se.gauge}
		for _, h := range se.heads {
			one.heads = append(one.heads, *h)
		}
		v.series = append(v.series, one)
	}
	if len(v.series) == 0 {
		return v, nil
	}
	// Begun under mu: a head leaves memory, and an edge moves, only after
	// its commit, so nothing can fall between memory and file.
	tx, err := s.db.Begin()
	v.tx = tx
	return v, err
}

// read folds what a query asks for, from the coarsest tier that serves it up
// to the finest.
func (v seriesView) read(tx *bolt.Tx, e edges, q Query) ([]point, error) {
	start, end, period := q.Start.Unix(), q.End.Unix(), int64(q.Period/time.Second)
	f := fold{start: start, period: period, gauge: v.gauge, bins: q.Percentiles}
	from := start
	for i := len(tiers) - 1; i >= 0 && from < end; i-- {
		step := tiers[i].step
		upTo := end
		if i > 0 {
			upTo = e.Pruned[i-1] // before it, nothing finer is left
			if period%step == 0 && start%step == 0 {
				upTo = max(upTo, e.Rolled[i])
			}
			upTo = min(upTo, end)
		}
		if upTo <= from {
			continue
		}
		if err := v.readTier(tx, i, max(from, e.Pruned[i]), upTo, &f); err != nil {
			return nil, err
		}
		from = upTo
	}
	return f.done(), nil
}

// readTier folds one tier's points from from up to upTo.
func (v seriesView) readTier(tx *bolt.Tx, i int, from, upTo int64, f *fold) error {
	t := tiers[i]
	bucket := tx.Bucket(tierBucket(i))
	var points []point
	var err error
	for start := max(floor(from, t.block), v.oldest(bucket, i, from)); start < upTo; start += t.block {
		data := v.head(i, start)
		if data == nil {
			data = bucket.Get(blockKey(start, v.id))
		}
		if data == nil {
			continue
		}
		if points, err = decodeBlock(points, data, start, t.step); err != nil {
			return err
		}
		lo, _ := slices.BinarySearchFunc(points, from, func(p point, at int64) int { return cmp.Compare(p.at, at) })
		hi, _ := slices.BinarySearchFunc(points, upTo, func(p point, at int64) int { return cmp.Compare(p.at, at) })
		f.add(points[lo:hi], i == 0)
	}
	return nil
}

// oldest returns the start of the oldest block at or after from's that any series
// has: a query may begin long before there was anything.
func (v seriesView) oldest(bucket *bolt.Bucket, tier int, from int64) int64 {
	oldest := int64(math.MaxInt64)
	if k, _ := bucket.Cursor().Seek(blockKey(floor(from, tiers[tier].block), 0)); k != nil {
		oldest = blockStart(k)
	}
	for i := range v.heads {
		if v.heads[i].tier == tier {
			oldest = min(oldest, v.heads[i].start)
		}
	}
	return oldest
}

func (v seriesView) head(tier int, start int64) []byte {
	for i := range v.heads {
		if v.heads[i].tier == tier && v.heads[i].start == start {
			return v.heads[i].data
		}
	}
	return nil
}
