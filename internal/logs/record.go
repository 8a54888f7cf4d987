package logs

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// position orders the events of a stream: by their time, then as they came.
type position struct {
	ms  int64 // of the event's own time, since 1970
	seq uint64
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.ms, q.ms), cmp.Compare(p.seq, q.seq))
}

// event is one log event.
type event struct {
	position
	ingested int64 // ms
	message  string
}

// A record is, little endian:
//
//	u32 bytes after the checksum | u32 CRC-32C of these | i64 time, ms |
//	i64 ingestion, ms | u64 number within the stream | message
const (
	prefixBytes = 8
	fixedBytes  = 24
	// maxRecordBytes is what a record can measure at most; a larger length is
	// damage, not data.
	maxRecordBytes = prefixBytes + fixedBytes + maxEventBytes
)

var errTorn = errors.New("torn or damaged record")

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // made once by the library

func appendRecord(buf []byte, e event) []byte {
	at := len(buf)
	buf = append(buf, make([]byte, prefixBytes)...)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(e.ms))
	buf = binary.LittleEndian.AppendUint64(buf, uint64(e.ingested))
	buf = binary.LittleEndian.AppendUint64(buf, e.seq)
	buf = append(buf, e.message...)
	body := buf[at+prefixBytes:]
	binary.LittleEndian.PutUint32(buf[at:], uint32(len(body)))
	binary.LittleEndian.PutUint32(buf[at+4:], crc32.Checksum(body, castagnoli()))
	return buf
}

// readRecord takes the first record of data and says how long it is.
func readRecord(data []byte) (e event, n int, err error) {
	if len(data) < prefixBytes+fixedBytes {
		return event{}, 0, errTorn
	}
	size := int64(binary.LittleEndian.Uint32(data))
	if size < fixedBytes || size > maxRecordBytes || size > int64(len(data)-prefixBytes) {
		return event{}, 0, errTorn
	}
	body := data[prefixBytes : prefixBytes+size]
	if crc32.Checksum(body, castagnoli()) != binary.LittleEndian.Uint32(data[4:]) {
		return event{}, 0, errTorn
	}
	e.ms = int64(binary.LittleEndian.Uint64(body))
	e.ingested = int64(binary.LittleEndian.Uint64(body[8:]))
	e.seq = binary.LittleEndian.Uint64(body[16:])
	e.message = string(body[fixedBytes:])
	return e, prefixBytes + int(size), nil
}
