package hpack

// overhead is what an entry counts beside its octets (RFC 7541, 4.1).
const overhead = 32

// table is a dynamic table. Its octets lie in one buffer of at most twice the
// table's size, the oldest first; when its end is reached, those still in use
// move to the front.
type table struct {
	data    []byte
	entries []dynamic // a ring; a power of two long
	first   int       // slot of the oldest
	count   int
	size    int // as RFC 7541 counts
	max     int // in force
}

// dynamic is an entry: its name lies at from, its value behind.
type dynamic struct {
	from, name, value int32
	tag               uint16 // of the name
	static            uint8  // entry of the static table with the same name, or 0
}

// at returns the entry i, 0 being the newest.
func (t *table) at(i uint64) (*dynamic, bool) {
	if i >= uint64(t.count) {
		return nil, false
	}
	return &t.entries[(t.first+t.count-1-int(i))&(len(t.entries)-1)], true
}

// nameOf is the name of an entry, valueOf its value.
func (t *table) nameOf(e *dynamic) []byte { return t.data[e.from:][:e.name] }

func (t *table) valueOf(e *dynamic) []byte { return t.data[e.from+e.name:][:e.value] }

// resize sets the size in force and lets go of what no longer fits.
func (t *table) resize(size int) {
	t.max = size
	t.evict(size)
}

// evict drops the oldest entries until at most room is taken.
func (t *table) evict(room int) {
	for t.size > room {
		e := &t.entries[t.first]
		t.size -= int(e.name+e.value) + overhead
		t.first = (t.first + 1) & (len(t.entries) - 1)
		t.count--
	}
	if t.count == 0 {
		t.data, t.first = t.data[:0], 0
	}
}

// insert adds f as the newest. Its strings must not be views of the table.
func (t *table) insert(f *Field) {
	need := len(f.Name) + len(f.Value) + overhead
	if need > t.max {
		t.evict(0)
		return
	}
	t.evict(t.max - need)
	if len(t.data)+need > 2*t.max {
		t.compact()
	}
	if t.count == len(t.entries) {
		t.grow()
	}
	t.entries[(t.first+t.count)&(len(t.entries)-1)] = dynamic{
		from: int32(len(t.data)), name: int32(len(f.Name)), value: int32(len(f.Value)),
		static: f.Static, tag: f.Tag,
	}
	t.data = append(append(t.data, f.Name...), f.Value...)
	t.count++
	t.size += need
}

// compact moves what is in use to the front of the buffer.
func (t *table) compact() {
	from := t.entries[t.first].from
	t.data = t.data[:copy(t.data, t.data[from:])]
	for i := range t.count {
		t.entries[(t.first+i)&(len(t.entries)-1)].from -= from
	}
}

// grow makes the ring twice as long.
func (t *table) grow() {
	larger := make([]dynamic, max(8, 2*len(t.entries)))
	n := copy(larger, t.entries[t.first:])
	copy(larger[n:], t.entries[:t.first])
	t.entries, t.first = larger, 0
}
