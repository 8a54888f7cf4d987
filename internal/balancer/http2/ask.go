package http2

import (
	"net"
	"slices"
	"strings"
	"time"

	"neargate/internal/balancer/exchange"
)

// Question is one request on a connection of its own, as a health check makes.
type Question struct {
	Forward exchange.Forward
	Body    []byte
	MaxBody int // octets of the answer that are waited for
}

// Reply is what was answered.
type Reply struct {
	Status   int
	Fields   []exchange.Field
	Trailers []exchange.Field // also of an answer without a body that has them in its head
}

// Field returns the value of a field of the trailers, or else of the head, by its
// name in lower case.
func (r *Reply) Field(name string) (value string, ok bool) {
	for _, f := range slices.Concat(r.Trailers, r.Fields) {
		if f.Name == name {
			return f.Value, true
		}
	}
	return "", false
}

// Ask asks a question over a connection, which it closes, and waits for the answer
// until a point in time.
func Ask(nc net.Conn, q *Question, until time.Time) (*Reply, error) {
	up := NewUpstream(UpstreamConfig{})
	c := newTargetConn(&kept{up: up}, nc)
	up.all.Go(c.run)
	defer up.all.Wait()
	defer func() { _ = nc.Close() }()
	t := c.reserve()
	defer t.Release()
	defer t.Free(false)
	q.Forward.Idle = time.Until(until)
	if err := t.Send(&q.Forward, q.Body, true); err != nil {
		return nil, err
	}
	var h exchange.Head
	for h.Status < 200 {
		if err := t.Head(&h, time.Until(until)); err != nil {
			return nil, err
		}
	}
	for taken := 0; taken <= q.MaxBody; {
		p, done, err := t.Next(time.Until(until))
		if err != nil {
			return nil, err
		}
		if taken += len(p); done {
			break
		}
	}
	return &Reply{Status: h.Status, Fields: cloneFields(h.Fields), Trailers: cloneFields(t.Trailers())}, nil
}

// cloneFields copies fields out of the codec's buffers.
func cloneFields(fields []exchange.Field) []exchange.Field {
	out := slices.Clone(fields)
	for i := range out {
		out[i] = exchange.Field{Name: strings.Clone(out[i].Name), Value: strings.Clone(out[i].Value), ID: out[i].ID}
	}
	return out
}
