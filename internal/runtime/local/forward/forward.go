// Package forward sends lines of output to a router of logs by Fluentd's forward
// protocol, version 1, over a Unix socket. What is in a record is what Docker's
// driver for Fluentd puts there.
//
// A Client belongs to one goroutine.
package forward

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/tinylib/msgp/msgp"
	"golang.org/x/sys/unix"

	"neargate/internal/model"
)

// patience is how long a router may take to read a batch, and again to
// acknowledge it.
const patience = 30 * time.Second

// Source is where the lines of a client come from.
type Source struct {
	Tag         string // of its records
	Container   string // its name
	ContainerID string
}

// Client sends the lines of one container.
type Client struct {
	dir, socket string
	source      Source
	acks        bool
	conn        net.Conn // nil: none
	buf         []byte
}

// New returns a client of the router that listens on a socket of a directory.
// acks says that it acknowledges what it has taken; what one that does not loses
// is not sent again.
func New(dir, socket string, acks bool, source Source) *Client {
	return &Client{dir: dir, socket: socket, acks: acks, source: source}
}

// Send sends lines as one message and returns when they have arrived. An error
// means that they may not have. It ends with ctx.
func (c *Client) Send(ctx context.Context, lines []model.LogLine) (err error) {
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if c.conn == nil {
		if c.conn, err = dial(ctx, c.dir, c.socket); err != nil {
			return fmt.Errorf("reach the log router: %w", err)
		}
	}
	conn := c.conn
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	chunk := ""
	if c.acks {
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		chunk = base64.StdEncoding.EncodeToString(id[:])
	}
	c.buf = c.message(c.buf[:0], lines, chunk)
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return fmt.Errorf("send to the log router: %w", err)
	}
	if _, err := conn.Write(c.buf); err != nil {
		return fmt.Errorf("send to the log router: %w", err)
	}
	if chunk == "" {
		return nil
	}
	return awaitAck(conn, chunk)
}

// message appends a message in the protocol's Forward mode.
func (c *Client) message(b []byte, lines []model.LogLine, chunk string) []byte {
	b = msgp.AppendArrayHeader(b, 3)
	b = msgp.AppendString(b, c.source.Tag)
	b = msgp.AppendArrayHeader(b, uint32(len(lines)))
	for _, l := range lines {
		b = msgp.AppendArrayHeader(b, 2)
		b = appendTime(b, l.At)
		b = c.appendRecord(b, l)
	}
	if chunk == "" {
		b = msgp.AppendMapHeader(b, 1)
	} else {
		b = msgp.AppendMapHeader(b, 2)
		b = msgp.AppendString(msgp.AppendString(b, "chunk"), chunk)
	}
	return msgp.AppendInt(msgp.AppendString(b, "size"), len(lines))
}

func (c *Client) appendRecord(b []byte, l model.LogLine) []byte {
	source := "stdout"
	if l.Stderr {
		source = "stderr"
	}
	b = msgp.AppendMapHeader(b, 4)
	for _, kv := range [...][2]string{
		{"container_id", c.source.ContainerID}, {"container_name", c.source.Container}, {"source", source}, {"log", l.Message},
	} {
		b = msgp.AppendString(msgp.AppendString(b, kv[0]), kv[1])
	}
	return b
}

// appendTime appends an EventTime: the extension 0 of 8 bytes, seconds and
// nanoseconds.
func appendTime(b []byte, t time.Time) []byte {
	const fixext8 = 0xd7
	sec, ns := uint32(t.Unix()), uint32(t.Nanosecond())
	return append(b, fixext8, 0,
		byte(sec>>24), byte(sec>>16), byte(sec>>8), byte(sec), byte(ns>>24), byte(ns>>16), byte(ns>>8), byte(ns))
}

// maxAck is the longest answer that is read.
const maxAck = 4 << 10

// awaitAck reads {"ack": CHUNK}.
func awaitAck(conn net.Conn, chunk string) error {
	var got []byte
	for len(got) < maxAck {
		part := make([]byte, 256)
		n, err := conn.Read(part)
		if err != nil {
			return fmt.Errorf("await the log router's acknowledgement: %w", err)
		}
		got = append(got, part[:n]...)
		answer, _, err := msgp.ReadMapStrIntfBytes(got, nil)
		if errors.Is(err, msgp.ErrShortBytes) {
			continue
		}
		if err != nil {
			return fmt.Errorf("await the log router's acknowledgement: %w", err)
		}
		if answer["ack"] != chunk {
			return errors.New("the log router acknowledges what it was not sent")
		}
		return nil
	}
	return errors.New("the log router's acknowledgement is too long")
}

// Close ends the connection. The client can be used again.
func (c *Client) Close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// dial connects to a socket of a directory that a container writes to: a link in
// it leads nowhere.
func dial(ctx context.Context, dir, name string) (net.Conn, error) {
	d, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer func() { _ = unix.Close(d) }()
	fd, err := unix.Openat2(d, name, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return nil, errors.Join(err, fmt.Errorf("%s is no socket", name))
	}
	return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", "/proc/self/fd/"+strconv.Itoa(fd))
}
