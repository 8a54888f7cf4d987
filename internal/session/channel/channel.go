// Package channel is the data channel of AWS's Session Manager, as its plugin
// for the AWS CLI speaks it: two streams of numbered messages, one each way, that
// are acknowledged and sent again, over a connection that carries messages whole.
//
// A message counts as taken when its receiver has done with it, not when it has
// come: so a reader that is slow slows the writer down, and what neither has
// taken is bounded. Sources: github.com/aws/session-manager-plugin, src/message
// and src/datachannel; github.com/aws/amazon-ssm-agent, agent/session.
package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Conn carries messages whole and in order. A Read and a Write may run at once.
type Conn interface {
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, message []byte) error
}

// Role is the end of a channel.
type Role int

// The roles: the agent is where the command runs, the client who asked for it.
const (
	Agent Role = iota + 1
	Client
)

const (
	// MaxPayload is how many bytes one message should carry at most.
	MaxPayload = 16 << 10
	// window is how many messages may wait for their acknowledgement.
	window = 64
	// inboxBytes bounds what has come and waits to be taken. What exceeds it is
	// not acknowledged, and will be sent again.
	inboxBytes = 2 * window * MaxPayload
)

// Times of sending again (the plugin's src/config).
const (
	resendEvery   = 100 * time.Millisecond
	resendAtFirst = 200 * time.Millisecond
	resendAtMost  = time.Second
	resendTimes   = 3000
)

// ErrClosed ends Receive, Send and Run when the other end has closed the channel.
var ErrClosed = errors.New("the session was closed")

// errUnanswered ends a channel whose other end acknowledges nothing any more.
var errUnanswered = errors.New("the other end does not take what is sent")

// Channel is one end of a data channel. New creates one; Run must run while it is
// used. Receive has one caller at a time.
type Channel struct {
	conn         Conn
	sends, takes string        // types of messages
	room         chan struct{} // holds one element for each message that waits for its acknowledgement
	came         chan struct{} // has an element when the inbox may have got one
	ended        chan struct{} // closed when Run has ended

	sending sync.Mutex // has messages go in the order of their numbers

	mu       sync.Mutex
	next     int64     // guarded by mu; number of the next message to send
	waiting  []*sent   // guarded by mu; without acknowledgement, in order
	timeout  backoff   // guarded by mu
	expected int64     // guarded by mu; number of the next message to come
	inbox    []Message // guarded by mu; come and not taken
	held     int       // guarded by mu; bytes in the inbox
	taken    int64     // guarded by mu; messages before this one have been acknowledged
	farewell *string   // guarded by mu; what the other end said when it closed
	failure  error     // guarded by mu; of Run
}

// sent is a message that waits for its acknowledgement.
type sent struct {
	number int64
	data   []byte
	at     time.Time
	times  int // sent again
}

// New returns one end of a channel over a connection.
func New(conn Conn, role Role) *Channel {
	c := &Channel{
		conn: conn, sends: outputData, takes: inputData, timeout: backoff{wait: resendAtFirst, trip: resendEvery},
		room: make(chan struct{}, window), came: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if role == Client {
		c.sends, c.takes = inputData, outputData
	}
	return c
}

// Run moves messages until ctx or the connection ends or the other end closes
// the channel, which is ErrClosed.
func (c *Channel) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.read(ctx) })
	group.Go(func() error { return c.resend(ctx) })
	err := group.Wait()
	c.mu.Lock()
	c.failure = err
	c.mu.Unlock()
	close(c.ended)
	return err
}

// Farewell returns what the other end said when it closed the channel.
func (c *Channel) Farewell() (text string, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.farewell == nil {
		return "", false
	}
	return *c.farewell, true
}

// over is the error of a call that the end of Run cuts short.
func (c *Channel) over() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// Send sends a message, and waits first while too many have not been taken.
func (c *Channel) Send(ctx context.Context, kind Payload, data []byte) error {
	select {
	case c.room <- struct{}{}:
	case <-c.ended:
		return c.over()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	c.mu.Lock()
	m := Message{Type: c.sends, Number: c.next, Created: time.Now(), Kind: kind, Data: data}
	s := &sent{number: c.next, data: m.Marshal(), at: m.Created}
	c.next++
	c.waiting = append(c.waiting, s)
	c.mu.Unlock()
	return c.conn.Write(ctx, s.data)
}

// SendJSON sends a value as JSON.
func (c *Channel) SendJSON(ctx context.Context, kind Payload, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return c.Send(ctx, kind, data)
}

// Flush waits until all that has been sent is taken.
func (c *Channel) Flush(ctx context.Context) error {
	for range window {
		select {
		case c.room <- struct{}{}:
		case <-c.ended:
			return c.over()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for range window {
		<-c.room
	}
	return nil
}

// Close tells the other end that the session is over, and why; "" is for its
// usual end. It does not wait.
func (c *Channel) Close(ctx context.Context, session, why string) error {
	m := Message{Type: channelClosed, Created: time.Now()}
	var err error
	m.Data, err = json.Marshal(closing{
		MessageID: m.ID.String(), CreatedDate: m.Created.UTC().Format(time.RFC3339), SessionID: session,
		MessageType: channelClosed, SchemaVersion: 1, Output: why,
	})
	if err != nil {
		return fmt.Errorf("close session: %w", err)
	}
	return c.conn.Write(ctx, m.Marshal())
}

// resend sends the oldest message again when its acknowledgement is late: the
// plugin drops what comes before it is ready.
func (c *Channel) resend(ctx context.Context) error {
	tick := time.NewTicker(resendEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		data, err := c.late(time.Now())
		if err == nil && data != nil {
			err = c.conn.Write(ctx, data)
		}
		if err != nil {
			return err
		}
	}
}

func (c *Channel) late(now time.Time) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return nil, nil
	}
	s := c.waiting[0]
	if now.Sub(s.at) < c.timeout.wait {
		return nil, nil
	}
	if s.times++; s.times > resendTimes {
		return nil, errUnanswered
	}
	s.at = now
	return s.data, nil
}
