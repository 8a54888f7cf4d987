package channel

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// read takes messages from the connection.
func (c *Channel) read(ctx context.Context) error {
	for {
		data, err := c.conn.Read(ctx)
		if err != nil {
			return err
		}
		m, err := Parse(data)
		if err != nil {
			return err
		}
		switch m.Type {
		case acknowledge:
			err = c.acknowledged(m)
		case c.takes:
			err = c.arrived(ctx, m)
		case channelClosed:
			return c.closed(m)
		} // others, such as pause_publication, ask for nothing
		if err != nil {
			return err
		}
	}
}

func (c *Channel) closed(m Message) error {
	var text closing
	if err := json.Unmarshal(m.Data, &text); err != nil {
		return fmt.Errorf("read the session's end: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.farewell = &text.Output
	return ErrClosed
}

// acknowledged makes room for another message.
func (c *Channel) acknowledged(m Message) error {
	var a acknowledgement
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return fmt.Errorf("read acknowledgement: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.waiting, func(s *sent) bool { return s.number == a.Number })
	if i < 0 {
		return nil // a second one
	}
	if s := c.waiting[i]; s.times == 0 { // else it is not known which one was taken
		c.timeout.saw(time.Since(s.at))
	}
	c.waiting = slices.Delete(c.waiting, i, i+1)
	<-c.room
	return nil
}

// arrived puts the next message into the inbox. One that has come before, or out
// of its turn, or that there is no room for, is dropped: it will come again.
func (c *Channel) arrived(ctx context.Context, m Message) error {
	c.mu.Lock()
	again := m.Number < c.taken
	if m.Number == c.expected && c.held+len(m.Data) <= inboxBytes {
		c.expected++
		c.inbox, c.held = append(c.inbox, m), c.held+len(m.Data)
		select {
		case c.came <- struct{}{}:
		default:
		}
	}
	c.mu.Unlock()
	if again {
		return c.acknowledge(ctx, m)
	}
	return nil
}

// Receive returns the next message. Taken must follow when it has been dealt
// with.
func (c *Channel) Receive(ctx context.Context) (Message, error) {
	for {
		c.mu.Lock()
		if len(c.inbox) > 0 {
			m := c.inbox[0]
			c.inbox, c.held = c.inbox[1:], c.held-len(m.Data)
			c.mu.Unlock()
			return m, nil
		}
		c.mu.Unlock()
		select {
		case <-c.came:
		case <-c.ended:
			if c.empty() {
				return Message{}, c.over()
			}
		case <-ctx.Done():
			return Message{}, context.Cause(ctx)
		}
	}
}

func (c *Channel) empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.inbox) == 0
}

// Taken acknowledges a message.
func (c *Channel) Taken(ctx context.Context, m Message) error {
	c.mu.Lock()
	c.taken = m.Number + 1
	c.mu.Unlock()
	return c.acknowledge(ctx, m)
}

func (c *Channel) acknowledge(ctx context.Context, m Message) error {
	data, err := json.Marshal(acknowledgement{Type: m.Type, ID: m.ID.String(), Number: m.Number, Sequential: true})
	if err != nil {
		return fmt.Errorf("acknowledge message: %w", err)
	}
	a := Message{Type: acknowledge, Created: time.Now(), Flags: acknowledgeFlags, Data: data}
	return c.conn.Write(ctx, a.Marshal())
}

// backoff is how long an acknowledgement is waited for, as TCP estimates it
// (RFC 6298): the mean of the trips, and four times their deviation.
type backoff struct{ wait, trip, deviation time.Duration }

func (b *backoff) saw(trip time.Duration) {
	b.deviation = b.deviation*3/4 + (b.trip-trip).Abs()/4
	b.trip = b.trip*7/8 + trip/8
	b.wait = min(resendAtMost, max(resendAtFirst, b.trip+4*b.deviation))
}
