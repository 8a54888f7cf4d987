package registry

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// unpackLayer writes a layer's files into dir and verifies both its digests:
// of the blob as stored, and of the tar inside. lower are the layers beneath,
// highest first.
func (r *Registry) unpackLayer(ctx context.Context, blob, diffID, dir string, lower []string) error {
	f, err := r.openBlob(blob)
	if err != nil {
		return err
	}
	defer f.Close()
	stored := newSummer(ctx, f, r.cfg.MaxBlobBytes)
	plain, err := decompress(stored)
	if err != nil {
		return err
	}
	defer plain.Close()
	content := newSummer(ctx, plain, r.cfg.MaxUnpackedBytes)
	if err := extract(tar.NewReader(content), dir, lower); err != nil {
		return err
	}
	// What follows the tar's end still counts for the digests.
	if _, err := io.Copy(io.Discard, content); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, stored); err != nil {
		return err
	}
	if got := stored.digest(); got != blob {
		return fmt.Errorf("the stored blob has digest %s", got)
	}
	if got := content.digest(); got != diffID {
		return fmt.Errorf("unpacks to %s, the image config says %s", got, diffID)
	}
	return nil
}

// decompress looks at the first bytes of a layer, which tell more reliably
// than media types whether it is gzip, zstd or plain tar.
func decompress(in io.Reader) (io.ReadCloser, error) {
	br := bufio.NewReaderSize(in, 64<<10)
	magic, err := br.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case len(magic) >= 2 && string(magic[:2]) == "\x1f\x8b":
		return gzip.NewReader(br)
	case string(magic) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(br), nil
}

// summer hashes what is read through it, up to a limit, and ends with its context.
type summer struct {
	ctx context.Context // of the one unpack that reads
	in  io.Reader
	sum hash.Hash
	n   int64
	max int64 // bytes; a layer may be small and unpack to anything
}

func newSummer(ctx context.Context, in io.Reader, maxBytes int64) *summer {
	return &summer{ctx: ctx, in: in, sum: sha256.New(), max: maxBytes}
}

// Read reads on.
func (s *summer) Read(p []byte) (int, error) {
	if err := context.Cause(s.ctx); err != nil {
		return 0, err
	}
	n, err := s.in.Read(p)
	s.sum.Write(p[:n])
	if s.n += int64(n); s.n > s.max {
		return n, fmt.Errorf("larger than the limit of %d bytes", s.max)
	}
	return n, err
}

func (s *summer) digest() string { return "sha256:" + hex.EncodeToString(s.sum.Sum(nil)) }

// extract writes the entries of a layer into dir, which must be empty. No
// entry, link or symlink can lead out of it: every step goes through os.Root.
func extract(tr *tar.Reader, dir string, lower []string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	x := &extraction{root: root, lower: lower}
	if err := root.Chmod(".", 0o755); err != nil {
		return err
	}
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return x.finish()
		}
		if err != nil {
			return fmt.Errorf("read tar: %w", err)
		}
		if err := x.entry(h, tr); err != nil {
			return fmt.Errorf("entry %q: %w", h.Name, err)
		}
	}
}
