package workshop

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// rounds is how many hashes one computation chains.
const rounds = 50_000

// dateFormat writes a date as JavaScript's Date does, which is what the
// workshop's Node app hashes.
const dateFormat = "Mon Jan 02 2006 15:04:05 GMT-0700 (MST)"

type handler struct {
	host    string
	compute func(ctx context.Context, n int) string
	workers sync.WaitGroup // computations under way
}

func (h *handler) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.greet)
	mux.HandleFunc("GET /computation", h.computation)
	return mux
}

func (h *handler) greet(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "Hello from %s!", h.host)
}

// computation works on a goroutine of its own, so that a client that has gone
// away is noticed and costs no more.
func (h *handler) computation(w http.ResponseWriter, r *http.Request) {
	result := make(chan string, 1)
	ctx := r.Context()
	h.workers.Go(func() { result <- h.compute(ctx, rounds) })
	select {
	case hash := <-result:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, hash) // an error is the client's going away
	case <-ctx.Done():
	}
}

// compute chains n MD5 hashes, each over the hex digest before it and the
// current date, and gives the last. The date is written anew in each round: it
// is part of the cost. It ends early when ctx does.
func compute(ctx context.Context, n int) string {
	digest := make([]byte, 0, hex.EncodedLen(md5.Size))
	text := make([]byte, 0, 128)
	for i := range n {
		if i%1024 == 0 && ctx.Err() != nil {
			break
		}
		text = append(text[:0], digest...)
		text = time.Now().AppendFormat(text, dateFormat)
		sum := md5.Sum(text)
		digest = hex.AppendEncode(digest[:0], sum[:])
	}
	return string(digest)
}
