package metric

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"neargate/internal/model"
	"neargate/internal/store/durable"
)

// journal keeps what was put durably until it is in the file of blocks. An
// entry is
//
//	length of the payload (4 bytes) · CRC-32C of number and payload (4)
//	number (8) · payload: JSON of a put
//
// all big-endian. Numbers grow by one. The file of blocks holds the number up
// to which entries are in it, so that each counts once. There are two files:
// one takes entries while the other's are being written to the blocks; then it
// is emptied. A torn entry at the end of a file was never acknowledged.
type journal struct {
	mu    sync.Mutex
	parts [2]part // guarded by mu
	cur   int     // guarded by mu; the part that takes entries
	next  uint64  // guarded by mu; the number of the next entry
}

// part is one file of a journal.
type part struct {
	path string
	f    *os.File // nil until the first entry
	size int64
	last uint64 // the newest entry's number; 0: it has none
}

// putRecord is the payload of an entry.
type putRecord struct {
	Now  int64 // Unix seconds
	Data []model.Datum
}

const entryHead = 16

// maxJournal is the size of a part from which on blocks are written at once.
const maxJournal = 64 << 20

// openJournal opens the journal of the block file at path and passes the
// entries after number written to replay, in their order.
func openJournal(path string, written uint64, replay func(number uint64, p putRecord)) (*journal, error) {
	j := &journal{next: written + 1}
	type entry struct {
		number uint64
		put    putRecord
	}
	var found []entry
	for i := range j.parts {
		p := &j.parts[i]
		p.path = fmt.Sprintf("%s.journal-%d", path, i)
		err := p.open(func(number uint64, r putRecord) {
			p.last = number
			if number > written {
				found = append(found, entry{number, r})
			}
		})
		if err != nil {
			return nil, errors.Join(err, j.close())
		}
		if p.last >= j.next {
			j.next, j.cur = p.last+1, i
		}
	}
	slices.SortFunc(found, func(a, b entry) int { return cmp.Compare(a.number, b.number) })
	for _, e := range found {
		replay(e.number, e.put)
	}
	return j, nil
}

// open reads a part, if there is one, and cuts off what follows its last whole
// entry.
func (p *part) open(take func(number uint64, r putRecord)) error {
	data, err := os.ReadFile(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if p.f, err = os.OpenFile(p.path, os.O_RDWR, 0o600); err != nil {
		return err
	}
	rest := data
	for {
		number, put, after, ok := readEntry(rest)
		if !ok {
			break
		}
		take(number, put)
		rest = after
	}
	p.size = int64(len(data) - len(rest))
	if len(rest) > 0 {
		return p.f.Truncate(p.size)
	}
	return nil
}

func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// readEntry reads the first entry of b; ok is false when it is not whole.
func readEntry(b []byte) (number uint64, p putRecord, rest []byte, ok bool) {
	if len(b) < entryHead {
		return 0, p, b, false
	}
	n := int64(binary.BigEndian.Uint32(b))
	if n > int64(len(b)-entryHead) {
		return 0, p, b, false
	}
	end := entryHead + int(n)
	if castagnoli(b[8:end]) != binary.BigEndian.Uint32(b[4:]) || json.Unmarshal(b[entryHead:end], &p) != nil {
		return 0, p, b, false
	}
	return binary.BigEndian.Uint64(b[8:]), p, b[end:], true
}

func appendEntry(b []byte, number uint64, payload []byte) []byte {
	at := len(b)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, number)
	b = append(b, payload...)
	binary.BigEndian.PutUint32(b[at+4:], castagnoli(b[at+8:]))
	return b
}

// add writes entries with these payloads, all or none. They are on disk when it
// returns; first is the number of the first one.
func (j *journal) add(payloads [][]byte) (first uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	first = j.next
	var b []byte
	for i, payload := range payloads {
		b = appendEntry(b, first+uint64(i), payload)
	}
	p := &j.parts[j.cur]
	if err := p.write(b); err != nil {
		return 0, fmt.Errorf("write %s: %w", p.path, err)
	}
	j.next += uint64(len(payloads))
	p.last = j.next - 1
	return first, nil
}

func (p *part) write(b []byte) (err error) {
	if p.f == nil {
		if p.f, err = os.OpenFile(p.path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
			return err
		}
		if err := durable.SyncDir(filepath.Dir(p.path)); err != nil {
			return err
		}
	}
	if _, err = p.f.WriteAt(b, p.size); err == nil {
		err = p.f.Sync()
	}
	if err != nil {
		return errors.Join(err, p.f.Truncate(p.size))
	}
	p.size += int64(len(b))
	return nil
}

// full reports whether blocks should be written before more is added.
func (j *journal) full() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.parts[j.cur].size > maxJournal
}

// turnOver lets the other part take what comes, if it is empty: what is in this
// one is about to be written to blocks.
func (j *journal) turnOver() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.parts[j.cur].last > 0 && j.parts[1-j.cur].last == 0 {
		j.cur = 1 - j.cur
	}
}

// release empties the parts of which every entry is in the blocks, where all up
// to number written are.
func (j *journal) release(written uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var errs []error
	for i := range j.parts {
		p := &j.parts[i]
		if p.last == 0 || p.last > written {
			continue
		}
		if err := p.f.Truncate(0); err != nil {
			errs = append(errs, err)
			continue
		}
		p.size, p.last = 0, 0
	}
	return errors.Join(errs...)
}

func (j *journal) close() error {
	var errs []error
	for _, p := range j.parts {
		if p.f != nil {
			errs = append(errs, p.f.Close())
		}
	}
	return errors.Join(errs...)
}
