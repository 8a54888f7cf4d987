package session

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"neargate/internal/model"
)

const (
	maxLine  = 256 << 10 // a longer one is kept in parts, bytes
	maxLines = 100       // kept at once
)

// transcript keeps what a session prints, by lines, as a cluster's
// executeCommandConfiguration asks for.
type transcript struct {
	logs          logSink
	group, stream string
	log           *slog.Logger

	mu      sync.Mutex
	partial []byte          // guarded by mu; a line that has no end yet
	lines   []model.LogLine // guarded by mu
	failed  bool            // guarded by mu; that has been logged
}

// tee returns a writer that keeps what to takes.
func (t *transcript) tee(ctx context.Context, to io.Writer) io.Writer {
	return writer(func(p []byte) (int, error) {
		n, err := to.Write(p)
		t.add(ctx, p[:n])
		return n, err
	})
}

func (t *transcript) add(ctx context.Context, p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(p) > 0 {
		n := bytes.IndexByte(p, '\n')
		whole := n >= 0
		if !whole {
			n = len(p)
		}
		if room := maxLine - len(t.partial); n > room {
			n, whole = room, true
		}
		t.partial, p = append(t.partial, p[:n]...), p[n:]
		if whole {
			t.lineLocked()
			p = bytes.TrimPrefix(p, []byte("\n"))
		}
	}
	if len(t.lines) >= maxLines {
		t.keepLocked(ctx)
	}
}

func (t *transcript) lineLocked() {
	text := string(bytes.TrimSuffix(t.partial, []byte("\r")))
	t.partial = t.partial[:0]
	t.lines = append(t.lines, model.LogLine{At: time.Now(), Message: text})
}

func (t *transcript) keepLocked(ctx context.Context) {
	if err := t.logs.Append(ctx, t.group, t.stream, t.lines); err != nil && !t.failed {
		t.failed = true
		t.log.Warn("what a session prints is not kept", "session", t.stream, "group", t.group, "err", err)
	}
	t.lines = nil
}

// end keeps what is left.
func (t *transcript) end(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.partial) > 0 {
		t.lineLocked()
	}
	if len(t.lines) > 0 {
		t.keepLocked(context.WithoutCancel(ctx))
	}
}
