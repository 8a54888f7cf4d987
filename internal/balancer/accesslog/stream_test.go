package accesslog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// Who follows gets each line once; who does not read loses lines, which are counted;
// and nobody wants lines when all have left.
func TestFollow(t *testing.T) {
	var s Stream
	fast, ok := s.Follow()
	slow, ok2 := s.Follow()
	if !ok || !ok2 || !s.Wanted() {
		t.Fatal("two cannot follow")
	}
	e := example(t)
	e.URI = "/" + strings.Repeat("x", 1000)
	const all = 1000 // more than wait for one
	for range all {
		s.Request(&e)
		lines, lost, err := fast.Next(t.Context())
		if bytes.Count(lines, []byte("\n")) != 1 || lost != 0 || err != nil {
			t.Fatalf("got %q, %d lost, %v", lines, lost, err)
		}
	}
	lines, lost, err := slow.Next(t.Context())
	if n := bytes.Count(lines, []byte("\n")); err != nil || lost == 0 || n+lost != all || len(lines) > maxBehind {
		t.Errorf("%d lines in %d octets, %d lost of %d, %v", n, len(lines), lost, all, err)
	}
	slow.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrUnexpectedEOF)
	if _, _, err := fast.Next(ctx); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a wait that was given up: %v", err)
	}
	s.Request(&e)
	s.End()
	if lines, _, err := fast.Next(t.Context()); len(lines) == 0 || err != nil {
		t.Errorf("before the end: %q, %v", lines, err)
	}
	for range 2 {
		if _, _, err := fast.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %v", err)
		}
	}
	fast.Close()
	if s.Wanted() {
		t.Error("lines are wanted though nobody follows")
	}
}

func TestFollowersAreBounded(t *testing.T) {
	var s Stream
	for range maxFollowers {
		if _, ok := s.Follow(); !ok {
			t.Fatal("too few may follow")
		}
	}
	if _, ok := s.Follow(); ok {
		t.Error("one more may follow")
	}
}
