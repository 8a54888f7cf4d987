package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// conn is one user's connection: opened when needed, kept while the server
// keeps it. Only abort may be called from another goroutine.
type conn struct {
	addr string
	tls  *tls.Config // nil: none
	br   *bufio.Reader
	used bool // an answer has come over it

	mu      sync.Mutex // guards the two below
	nc      net.Conn
	aborted bool
}

// do sends one request and reads its answer into r. A kept connection that the
// server closed before any byte of the answer is not the server's failure: the
// request is sent once more over a new one, as RFC 9112, 9.3.1 allows for GET.
func (c *conn) do(ctx context.Context, request []byte, timeout time.Duration, r *Result) {
	r.Sent = time.Now()
	deadline := r.Sent.Add(timeout)
	for {
		reused := c.used
		err := c.exchange(ctx, request, deadline, r)
		if err == nil {
			break
		}
		c.close()
		if reused && r.FirstByte.IsZero() && !errors.Is(err, errTimeout) && ctx.Err() == nil {
			continue
		}
		r.Err = err
		break
	}
	r.Done = time.Now()
}

var errTimeout = errors.New("no answer in time")

func (c *conn) exchange(ctx context.Context, request []byte, deadline time.Time, r *Result) error {
	nc, err := c.open(ctx, deadline)
	if err != nil {
		return err
	}
	if err := nc.SetDeadline(deadline); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	if _, err := nc.Write(request); err != nil {
		return fmt.Errorf("send request: %w", timeoutOr(err))
	}
	if _, err := c.br.Peek(1); err != nil {
		return fmt.Errorf("read answer: %w", timeoutOr(err))
	}
	r.FirstByte = time.Now()
	keep, err := readAnswer(c.br, r)
	if err != nil {
		return fmt.Errorf("read answer: %w", timeoutOr(err))
	}
	c.used = true
	if !keep {
		c.close()
	}
	return nil
}

func timeoutOr(err error) error {
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return errTimeout
	}
	return err
}

func (c *conn) open(ctx context.Context, deadline time.Time) (net.Conn, error) {
	c.mu.Lock()
	nc := c.nc
	c.mu.Unlock()
	if nc != nil {
		return nc, nil
	}
	d := net.Dialer{Deadline: deadline}
	nc, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", timeoutOr(err))
	}
	if c.tls != nil {
		if nc, err = c.secure(ctx, nc, deadline); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aborted {
		nc.Close()
		return nil, context.Canceled
	}
	c.nc, c.used = nc, false
	if c.br == nil {
		c.br = bufio.NewReaderSize(nc, 4096)
	} else {
		c.br.Reset(nc)
	}
	return nc, nil
}

// secure shakes hands in TLS.
func (c *conn) secure(ctx context.Context, nc net.Conn, deadline time.Time) (net.Conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	secured := tls.Client(nc, c.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("shake hands: %w", timeoutOr(err))
	}
	return secured, nil
}

func (c *conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nc != nil {
		c.nc.Close()
		c.nc = nil
	}
	c.used = false
}

// abort breaks off what is under way, for good.
func (c *conn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aborted = true
	if c.nc != nil {
		_ = c.nc.SetDeadline(time.Unix(1, 0))
	}
}

// readAnswer reads one whole HTTP/1.1 answer; keep says that the connection
// may carry another request. 1xx answers are skipped.
func readAnswer(br *bufio.Reader, r *Result) (keep bool, err error) {
	for {
		h, err := readHead(br)
		if err != nil {
			return false, err
		}
		if h.status >= 100 && h.status < 200 && h.status != 101 {
			continue
		}
		r.Status = h.status
		switch {
		case h.status == 204 || h.status == 304:
		case h.chunked:
			r.Bytes, err = skipChunks(br)
		case h.length >= 0:
			r.Bytes, err = io.CopyN(io.Discard, br, h.length)
		default:
			r.Bytes, err = io.Copy(io.Discard, br)
			h.keep = false
		}
		return h.keep && err == nil, err
	}
}

type head struct {
	status  int
	length  int64 // -1: not given
	chunked bool
	keep    bool
}

func readHead(br *bufio.Reader) (head, error) {
	line, err := readLine(br)
	if err != nil {
		return head{}, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return head{}, fmt.Errorf("not HTTP/1: %q", line)
	}
	h := head{length: -1, keep: line[7] == '1'}
	if h.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return head{}, fmt.Errorf("bad status line %q", line)
	}
	for {
		line, err := readLine(br)
		if err != nil {
			return head{}, err
		}
		if len(line) == 0 {
			return h, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if h.length, err = strconv.ParseInt(string(value), 10, 63); err != nil {
				return head{}, fmt.Errorf("bad Content-Length %q", value)
			}
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			h.chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("connection")):
			h.keep = h.keep && !bytes.EqualFold(value, []byte("close"))
		}
	}
}

func readLine(br *bufio.Reader) ([]byte, error) {
	line, err := br.ReadSlice('\n')
	if err == io.EOF && len(line) > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func skipChunks(br *bufio.Reader) (n int64, err error) {
	for {
		line, err := readLine(br)
		if err != nil {
			return n, err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		length, err := strconv.ParseInt(string(bytes.TrimSpace(size)), 16, 63)
		if err != nil {
			return n, fmt.Errorf("bad chunk size %q", line)
		}
		if length == 0 {
			for { // trailers
				if line, err = readLine(br); err != nil || len(line) == 0 {
					return n, err
				}
			}
		}
		m, err := io.CopyN(io.Discard, br, length)
		n += m
		if err != nil {
			return n, err
		}
		if _, err := readLine(br); err != nil { // the chunk's line end
			return n, err
		}
	}
}
