package wire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"

	"neargate/internal/model"
)

// limit is the most bytes that a body of c may have.
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
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.limit(c)))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge(h.limit(c))
	}
	if err != nil {
		return nil, &model.Error{Kind: model.Invalid, Code: "IncompleteBody", Msg: "The request body ended early.", Err: err}
	}
	return body, nil
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
		body, err := io.ReadAll(io.LimitReader(z, h.limit(c)+1))
		if err != nil {
			return nil, serialization("The gzip body is malformed: %s", err)
		}
		if int64(len(body)) > h.limit(c) {
			return nil, tooLarge(h.limit(c))
		}
		return body, nil
	default:
		return nil, serialization("Content-Encoding %.40q is not supported.", enc)
	}
}

func tooLarge(limit int64) error {
	return model.Errorf(model.TooLarge, "RequestEntityTooLargeException", "The request body is larger than %d bytes.", limit)
}
