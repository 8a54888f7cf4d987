package layer

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// entry is an entry of a layer to unpack.
type entry struct {
	tar.Header
	content string
}

func file(name, content string) entry {
	return entry{tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(content))}, content}
}

func dir(name string, mode int64) entry {
	return entry{Header: tar.Header{Name: name, Mode: mode, Typeflag: tar.TypeDir}}
}

func link(name, to string, kind byte) entry {
	return entry{Header: tar.Header{Name: name, Linkname: to, Typeflag: kind, Mode: 0o777}}
}

func device(name string, major, minor int64) entry {
	return entry{Header: tar.Header{Name: name, Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: major, Devminor: minor}}
}

func fifo(name string) entry {
	return entry{Header: tar.Header{Name: name, Typeflag: tar.TypeFifo, Mode: 0o640}}
}

func archive(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		if err := w.WriteHeader(&e.Header); err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

// header is the first block of an entry, as tar.Writer would not write it.
func header(name string, kind byte, size uint64) []byte {
	h := make([]byte, 512)
	copy(h, name)
	copy(h[100:], "0000644\x000000000\x000000000\x00")
	number(h[124:136], size)
	copy(h[136:], "00000000000\x00")
	h[156] = kind
	copy(h[257:], "ustar  \x00")
	return seal(h)
}

// number writes a number in base 256.
func number(field []byte, n uint64) {
	field[0] = 0x80
	binary.BigEndian.PutUint64(field[len(field)-8:], n)
}

// seal makes the checksum of a header right.
func seal(h []byte) []byte {
	copy(h[148:], "        ")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// sparse is a layer of one file of size bytes, all a hole, in GNU's old format.
func sparse(name string, size uint64) []byte {
	h := header(name, tar.TypeGNUSparse, 0)
	number(h[386:398], size) // an empty part at the end
	number(h[398:410], 0)
	number(h[483:495], size)
	return append(seal(h), make([]byte, 1024)...)
}
