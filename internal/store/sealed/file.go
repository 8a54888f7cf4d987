package sealed

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A sealed file is the content in chunks of chunkBytes, the last one shorter,
// each followed by its tag. The nonce of a chunk is its number, as each file has
// a key of its own, which is derived from its name.
const (
	chunkBytes = 64 << 10
	tagBytes   = 16
)

// ErrBroken is the error of a file that is not what was written under its name.
var ErrBroken = errors.New("the file is damaged, or was encrypted with another key")

func (k *Key) file(name string) (cipher.AEAD, error) {
	block, err := k.derive("file " + name)
	if err != nil {
		return nil, fmt.Errorf("derive the key of %s: %w", name, err)
	}
	return cipher.NewGCM(block)
}

func nonce(chunk int64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, 12), uint64(chunk))
}

// Copy writes a content sealed to w, and returns its length. A name is used for
// one content only: its key is that of the name. Errors of the content are
// returned as they are.
func (k *Key) Copy(w io.Writer, content io.Reader, name string) (int64, error) {
	aead, err := k.file(name)
	if err != nil {
		return 0, err
	}
	buf := make([]byte, chunkBytes, chunkBytes+tagBytes)
	for length, chunk := int64(0), int64(0); ; chunk++ {
		n, err := io.ReadFull(content, buf[:chunkBytes])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return length, err
		}
		length += int64(n)
		if n > 0 {
			if _, err := w.Write(aead.Seal(buf[:0], nonce(chunk), buf[:n], nil)); err != nil {
				return length, err
			}
		}
		if last {
			return length, nil
		}
	}
}

// Reader reads a content from anywhere. It is for one goroutine.
type Reader struct {
	src   io.ReaderAt
	size  int64 // of the content
	aead  cipher.AEAD
	buf   []byte
	chunk int64 // that is in buf, -1: none
	plain []byte
}

// Reader returns a reader of a content of size bytes that Copy wrote under name.
func (k *Key) Reader(src io.ReaderAt, name string, size int64) (*Reader, error) {
	aead, err := k.file(name)
	if err != nil {
		return nil, err
	}
	return &Reader{src: src, size: size, aead: aead, buf: make([]byte, chunkBytes+tagBytes), chunk: -1}, nil
}

// ReadAt implements io.ReaderAt. Errors: ErrBroken.
func (r *Reader) ReadAt(p []byte, offset int64) (int, error) {
	n := 0
	for n < len(p) {
		if offset >= r.size {
			return n, io.EOF
		}
		if err := r.load(offset / chunkBytes); err != nil {
			return n, err
		}
		c := copy(p[n:], r.plain[offset%chunkBytes:])
		n, offset = n+c, offset+int64(c)
	}
	return n, nil
}

// load decrypts a chunk.
func (r *Reader) load(chunk int64) error {
	if r.chunk == chunk {
		return nil
	}
	r.chunk = -1
	sealed := r.buf[:min(chunkBytes, r.size-chunk*chunkBytes)+tagBytes]
	if n, err := r.src.ReadAt(sealed, chunk*(chunkBytes+tagBytes)); n < len(sealed) {
		return errors.Join(ErrBroken, err)
	}
	plain, err := r.aead.Open(sealed[:0], nonce(chunk), sealed, nil)
	if err != nil {
		return ErrBroken
	}
	r.chunk, r.plain = chunk, plain
	return nil
}
