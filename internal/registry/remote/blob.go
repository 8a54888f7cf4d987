package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

const (
	// maxDownloads are the blobs of one pull that come at once.
	maxDownloads = 6
	// copyBytes is the size of the pieces that a blob is written in.
	copyBytes = 256 << 10
	// headway is how much of a blob must come for a try not to count.
	headway = 1 << 20
)

// Download is a blob on its way. What has come stays valid after a failure, so
// that the next try, of this pull or another, goes on from there.
type Download struct {
	Digest string
	Size   int64

	out    output
	sum    hash.Hash
	done   int64 // bytes written to out
	pieces int   // answers that they are from
	untrue bool
}

// output is where a download goes: a file.
type output interface {
	io.WriteSeeker
	Truncate(size int64) error
}

// Untrue reports whether what came is not what the digest says: the download is
// of no use any more.
func (d *Download) Untrue() bool { return d.untrue }

// NewDownload returns the download of a blob whose bytes go to out.
func NewDownload(digest string, size int64, out output) *Download {
	return &Download{Digest: digest, Size: size, out: out, sum: sha256.New()}
}

// writeError is the failure of the download's writer, which is ours.
type writeError struct{ error }

// Write takes the next bytes.
func (d *Download) Write(p []byte) (int, error) {
	n, err := d.out.Write(p)
	d.sum.Write(p[:n])
	d.done += int64(n)
	if err != nil {
		err = permanent(writeError{err})
	}
	return n, err
}

// restart forgets what has come.
func (d *Download) restart() error {
	d.sum.Reset()
	d.done, d.pieces = 0, 0
	if _, err := d.out.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return d.out.Truncate(0)
}

// verify checks the digest of what has come.
func (d *Download) verify() error {
	got := "sha256:" + hex.EncodeToString(d.sum.Sum(nil))
	if d.untrue = got != d.Digest; !d.untrue {
		return nil
	}
	return fmt.Errorf("failed commit on ref \"layer-%s\": unexpected commit digest %s, expected %s: failed precondition", d.Digest, got, d.Digest)
}

// Fetch completes a download and verifies it. Errors are *model.Error in ECS's
// words, or the cause of ctx.
func (r *Repository) Fetch(ctx context.Context, d *Download) error {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	tries, err := r.complete(ctx, d)
	if err == nil {
		err = d.verify()
	}
	if d.untrue && d.pieces > 1 { // one of the pieces may be from a registry that had a bad moment
		if err = d.restart(); err == nil {
			tries, err = r.complete(ctx, d)
		}
		if err == nil {
			err = d.verify()
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return uncopied(tries, err)
	}
	return nil
}

// complete gets what is missing of a blob.
func (r *Repository) complete(ctx context.Context, d *Download) (tries int, err error) {
	mark := d.done
	return r.client.cfg.Patience.attempt(ctx, func() error {
		return r.each(ctx, func(e *endpoint) error { return r.download(ctx, e, d) })
	}, func() bool {
		got := d.done - mark
		if got >= headway {
			mark = d.done
		}
		return got >= headway
	})
}

// download gets what is missing of a blob from one endpoint.
func (r *Repository) download(ctx context.Context, e *endpoint, d *Download) error {
	if d.done >= d.Size {
		return nil
	}
	header := map[string]string{"Accept": "*/*"}
	if d.done > 0 {
		header["Range"] = "bytes=" + strconv.FormatInt(d.done, 10) + "-"
	}
	resp, err := r.ask(ctx, e, http.MethodGet, "blobs/"+d.Digest, header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	d.pieces++
	switch {
	case isHTML(resp.Header):
		return permanent(fmt.Errorf("unexpected media type %s for %s: not found", clean(resp.Header.Get("Content-Type")), d.Digest))
	case resp.StatusCode == http.StatusOK: // all of it, whatever was asked for
		if _, err := io.CopyN(io.Discard, body, d.done); err != nil {
			return cut(d, err)
		}
	case !strings.HasPrefix(resp.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(d.done, 10)+"-"):
		return permanent(fmt.Errorf("the registry answers for bytes %d onwards with %q", d.done, clean(resp.Header.Get("Content-Range"))))
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{d}, io.LimitReader(body, d.Size-d.done), make([]byte, copyBytes))
	if err != nil {
		return cut(d, err)
	}
	if d.done < d.Size {
		return cut(d, io.ErrUnexpectedEOF)
	}
	if n, _ := body.Read(make([]byte, 1)); n > 0 {
		d.untrue = true
		return permanent(fmt.Errorf("blob %s is longer than the %d bytes of its descriptor", d.Digest, d.Size))
	}
	return nil
}

// isHTML reports whether an answer is a page for people, such as a network's that
// wants them to sign in.
func isHTML(h http.Header) bool {
	mediaType, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return mediaType == "text/html"
}

// cut words the end of an answer before its time.
func cut(d *Download, err error) error {
	if _, ours := errors.AsType[writeError](err); ours {
		return err
	}
	return fmt.Errorf("httpReadSeeker: failed after %d of %d bytes of %s: %w", d.done, d.Size, d.Digest, err)
}
