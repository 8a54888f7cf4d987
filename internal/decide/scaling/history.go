package scaling

import "time"

// Sizes of a History: so many buckets of one second, and of each size above,
// sizes doubling.
const (
	secondsWidth = 10
	levelWidth   = 6
	maxBuckets   = 78
)

// History is the recent past of a service, finely for the last seconds and
// ever more coarsely further back: up to secondsWidth buckets of one second,
// then levelWidth of two, of four and so on, about six hours in all. Newest
// first.
type History struct {
	Len     int
	Buckets [maxBuckets]Bucket
}

// Bucket sums up some consecutive seconds.
type Bucket struct {
	Level     int           // it holds 2^Level observations
	Span      time.Duration // measured time
	Arrivals  int64
	Completed int64
	CPULow    time.Duration // serving tasks used at least this
	CPUHigh   time.Duration // and at most this
	TaskTime  time.Duration // serving tasks × time
	Memory    float64       // utilisation of the tasks' memory (0 to 1) × seconds
	MemSpan   time.Duration // measured time of Memory
	Stalled   bool          // work was held up, see fillStall
}

func (b *Bucket) add(o *Bucket) {
	b.Span += o.Span
	b.Arrivals += o.Arrivals
	b.Completed += o.Completed
	b.CPULow += o.CPULow
	b.CPUHigh += o.CPUHigh
	b.TaskTime += o.TaskTime
	b.Memory += o.Memory
	b.MemSpan += o.MemSpan
}

// push adds the newest second, merging older ones where a level is full.
func (h *History) push(b Bucket) {
	if h.Len == maxBuckets {
		h.Len-- // forget the oldest
	}
	copy(h.Buckets[1:h.Len+1], h.Buckets[:h.Len])
	h.Buckets[0] = b
	h.Len++
	i := 0
	for level := 0; ; level++ {
		start := i
		for i < h.Len && h.Buckets[i].Level == level {
			i++
		}
		width := levelWidth
		if level == 0 {
			width = secondsWidth
		}
		if i-start <= width {
			return
		}
		// The two oldest of this level become one of the next.
		h.Buckets[i-2].add(&h.Buckets[i-1])
		h.Buckets[i-2].Level = level + 1
		copy(h.Buckets[i-1:h.Len-1], h.Buckets[i:h.Len])
		h.Len--
		h.Buckets[h.Len] = Bucket{}
		i -= 2
	}
}
