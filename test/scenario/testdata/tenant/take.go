package main

import (
	"io"
	"net"
	"sync"
)

// taken is what others sent to the socket of a log router, as it came.
var taken record

type record struct {
	mu sync.Mutex
	b  []byte
}

// Write implements io.Writer.
func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.b = append(r.b, p...)
	return len(p), nil
}

func (r *record) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.b)
}

// take listens on a socket as a log router does, and keeps what comes. It
// acknowledges nothing.
func take(path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(&taken, conn)
			}()
		}
	}()
	return nil
}
