package layer

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow is the largest window of zstd that is taken, in bytes.
const maxWindow = 128 << 20

// unpackTar unpacks a layer, as it is or compressed, into the directory at root.
func unpackTar(blob io.Reader, root string, limits Limits) (Result, error) {
	in := bufio.NewReaderSize(blob, 1<<20)
	plain, err := decompress(in)
	if err != nil {
		return Result{}, err
	}
	defer plain.Close()
	content := &summer{in: plain, sum: sha256.New(), max: limits.Bytes}
	x, err := newExtraction(root, limits)
	if err != nil {
		return Result{}, err
	}
	defer x.close()
	if err := x.run(tar.NewReader(content)); err != nil {
		return Result{}, err
	}
	// What follows the tar's end still counts for the digests.
	if _, err := io.Copy(io.Discard, content); err != nil {
		return Result{}, err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return Result{}, err
	}
	result, err := x.result()
	result.Bytes = content.n
	result.DiffID = "sha256:" + hex.EncodeToString(content.sum.Sum(nil))
	return result, err
}

// run makes all entries.
func (x *extraction) run(tr *tar.Reader) error {
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read tar: %w", err)
		}
		if err := x.entry(h, tr); err != nil {
			return fmt.Errorf("entry %q: %w", shorten(h.Name), err)
		}
	}
}

// shorten makes a name that an image brings fit for a message.
func shorten(name string) string {
	if len(name) > 200 {
		return name[:200] + "…"
	}
	return name
}

// decompress looks at the first bytes of a layer, which tell more reliably
// than media types whether it is gzip, zstd or plain tar.
func decompress(in *bufio.Reader) (io.ReadCloser, error) {
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case len(magic) >= 2 && string(magic[:2]) == "\x1f\x8b":
		return gzip.NewReader(in)
	case string(magic) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(in), nil
}

// summer hashes what is read through it, up to a limit.
type summer struct {
	in  io.Reader
	sum hash.Hash
	n   int64
	max int64 // bytes; a layer may be small and unpack to anything
}

// Read reads on.
func (s *summer) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	s.sum.Write(p[:n])
	if s.n += int64(n); s.n > s.max {
		return n, fmt.Errorf("larger than the limit of %d bytes", s.max)
	}
	return n, err
}
