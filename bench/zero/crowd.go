package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// crowd is what became of clients that came at once.
type crowd struct {
	asked, answered, refused int
	// closed are connections beyond what the server may have at once.
	closed                  int
	lastAnswer, lastRefusal time.Duration
	failed                  []string
}

// gather has n clients ask at once, each on a connection of its own that is open
// before the first asks.
func (b bench) gather(ctx context.Context, n int) crowd {
	c := crowd{asked: n}
	var mu sync.Mutex // guards c
	var ready, ended sync.WaitGroup
	begin := make(chan time.Time)
	ready.Add(n)
	for range n {
		ended.Go(func() {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", b.Address)
			ready.Done()
			began := <-begin
			if err == nil {
				err = c.ask(ctx, &mu, conn, began, b.Address)
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
			case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
				c.closed++
			default:
				c.failed = append(c.failed, err.Error())
			}
		})
	}
	ready.Wait()
	now := time.Now()
	for range n {
		begin <- now
	}
	ended.Wait()
	return c
}

// ask asks once and notes the answer.
func (c *crowd) ask(ctx context.Context, mu *sync.Mutex, conn net.Conn, began time.Time, address string) error {
	defer func() { _ = conn.Close() }() // perhaps the transport has
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	took := time.Since(began)
	mu.Lock()
	defer mu.Unlock()
	switch resp.StatusCode {
	case http.StatusOK:
		c.answered++
		c.lastAnswer = max(c.lastAnswer, took)
	case http.StatusServiceUnavailable:
		c.refused++
		c.lastRefusal = max(c.lastRefusal, took)
	default:
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}
