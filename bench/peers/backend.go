package peers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
)

// Sizes are those of the backend's answers in bytes; the path names one.
func Sizes() []int { return []int{100, 10_000} }

// Backend answers every request without looking at more than its path, so that
// what stands before it is what costs.
func Backend(ctx context.Context, addr string) error {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = ln.Close() })
	answers := map[string][]byte{}
	for _, size := range Sizes() {
		answers[fmt.Sprintf("/%d", size)] = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Sat, 28 Nov 2026 09:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s",
			size, bytes.Repeat([]byte{'x'}, size))
	}
	for {
		c, err := ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		go func() {
			defer func() { _ = c.Close() }()
			in := bufio.NewReader(c)
			for err := error(nil); err == nil; {
				err = answerOne(in, c, answers)
			}
		}()
	}
}

// answerOne reads a head and writes the answer of its path.
func answerOne(in *bufio.Reader, out io.Writer, answers map[string][]byte) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	_, rest, _ := bytes.Cut(line, []byte{' '})
	path, _, _ := bytes.Cut(rest, []byte{' '})
	answer, ok := answers[string(path)]
	if !ok {
		return fmt.Errorf("no answer for %q", path)
	}
	for len(line) > 2 {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
	}
	_, err = out.Write(answer)
	return err
}
