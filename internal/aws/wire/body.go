package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"neargate/internal/model"
)

const (
	// freeBody is how many bytes of a body do not count towards
	// Config.MaxInFlight, so that large bodies never hold up ordinary calls.
	freeBody = 64 << 10
	// minRate is how many bytes of a body have to arrive each second once
	// Config.Patience is used up.
	minRate = 64 << 10
)

// limit returns the most bytes that a body of c may have.
func (h *handler) limit(c *call) int64 {
	if c.face.MaxBody > 0 {
		return c.face.MaxBody
	}
	return h.cfg.MaxBody
}

// readBody reads the body as sent. A body over the limit closes the connection.
func (h *handler) readBody(w http.ResponseWriter, r *http.Request, c *call) ([]byte, error) {
	if r.ContentLength > h.limit(c) {
		w.Header().Set("Connection", "close")
		return nil, tooLarge(h.limit(c))
	}
	paced := &pacedReader{
		body: http.MaxBytesReader(w, r.Body, h.limit(c)), conn: http.NewResponseController(w),
		begin: time.Now(), patience: h.cfg.Patience,
	}
	body, err := h.gather(r.Context(), c, paced, r.ContentLength)
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge(h.limit(c))
	}
	if _, ours := errors.AsType[*model.Error](err); err != nil && !ours {
		return nil, &model.Error{Kind: model.Invalid, Code: "IncompleteBody", Msg: "The request body ended early.", Err: err}
	}
	return body, err
}

// pacedReader reads a body that has to keep up with minRate after a time of
// patience. A ResponseWriter that has no deadlines, as in tests, goes without.
type pacedReader struct {
	body     io.Reader
	conn     *http.ResponseController
	begin    time.Time
	patience time.Duration
	got      int64
}

// Read implements io.Reader.
func (p *pacedReader) Read(b []byte) (int, error) {
	earned := time.Duration(p.got) * time.Second / minRate
	_ = p.conn.SetReadDeadline(p.begin.Add(p.patience + earned))
	n, err := p.body.Read(b)
	p.got += int64(n)
	return n, err
}

// gather reads src to its end. expected is its size if that is known. What it
// takes beyond freeBody counts towards what all requests together may hold,
// until the call is done.
func (h *handler) gather(ctx context.Context, c *call, src io.Reader, expected int64) ([]byte, error) {
	const smallest = 4 << 10
	buf := make([]byte, 0, min(max(expected+1, smallest), freeBody)) // the last Read needs a byte of room
	for {
		if len(buf) == cap(buf) {
			more := int64(cap(buf))
			if 2*more > freeBody {
				if err := h.reserve(ctx, c, more); err != nil {
					return nil, err
				}
			}
			buf = append(make([]byte, 0, 2*cap(buf)), buf...) // slices.Grow would take more than was reserved
		}
		n, err := src.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// reserve waits for room for n more bytes of c. Errors: ServiceUnavailable.
func (h *handler) reserve(ctx context.Context, c *call, n int64) error {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Patience)
	defer cancel()
	if h.room.Acquire(ctx, n) != nil {
		return model.Errorf(model.Unavailable, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
	}
	c.reserved += n
	return nil
}

// unpack undoes the body's Content-Encoding, with the same limit after as
// before.
func (h *handler) unpack(r *http.Request, c *call, raw []byte) ([]byte, error) {
	switch enc := r.Header.Get("Content-Encoding"); enc {
	case "", "identity":
		return raw, nil
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, serialization("The gzip body is malformed: %s", err)
		}
		body, err := h.gather(r.Context(), c, io.LimitReader(z, h.limit(c)+1), 0)
		if _, ours := errors.AsType[*model.Error](err); err != nil && !ours {
			return nil, serialization("The gzip body is malformed: %s", err)
		}
		if int64(len(body)) > h.limit(c) {
			return nil, tooLarge(h.limit(c))
		}
		return body, err
	default:
		return nil, serialization("Content-Encoding %.40q is not supported.", enc)
	}
}

func tooLarge(limit int64) error {
	return model.Errorf(model.TooLarge, "RequestEntityTooLargeException", "The request body is larger than %d bytes.", limit)
}
