package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// taskArgument makes this program what runs in the tasks.
const taskArgument = "rollback-task"

// The revisions are what tasks answer with.
const (
	oldRevision = "old"
	newRevision = "new"
	revision    = "REVISION" // the variable that says so
)

// answer serves the name of the task's revision.
func answer() error {
	text := []byte(os.Getenv(revision))
	srv := &http.Server{Addr: ":8080", ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(text) // a client that is gone has no use for it
	})}
	return srv.ListenAndServe()
}

// load is requests at a steady rate, until end.
type load struct {
	stop  context.CancelFunc
	lines sync.WaitGroup

	mu      sync.Mutex
	sent    int
	ofNew   int       // answers of the new revision
	lastNew time.Time // when the last of them was there
	failed  []string
}

func startLoad(ctx context.Context, address string, o options) *load {
	ctx, stop := context.WithCancel(ctx)
	l := &load{stop: stop}
	for i := range o.lines {
		transport := &http.Transport{DisableKeepAlives: i%2 == 1}
		l.lines.Go(func() {
			defer transport.CloseIdleConnections()
			tick := time.NewTicker(time.Second * time.Duration(o.lines) / time.Duration(o.rate))
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					l.note(ask(context.WithoutCancel(ctx), transport, "http://"+address+"/"))
				}
			}
		})
	}
	return l
}

func ask(ctx context.Context, by http.RoundTripper, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := by.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s", resp.Status)
	}
	return string(text), err
}

func (l *load) note(text string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	switch {
	case err != nil:
		l.failed = append(l.failed, time.Now().Format(time.StampMilli)+" "+err.Error())
	case text == newRevision:
		l.ofNew++
		l.lastNew = time.Now()
	}
}

// news returns how many answers of the new revision there were, and when the
// last was there.
func (l *load) news() (int, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ofNew, l.lastNew
}

// end stops the load and returns what came of it.
func (l *load) end() (sent int, failed []string) {
	l.stop()
	l.lines.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent, l.failed
}
