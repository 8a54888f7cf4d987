package names

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	dns "golang.org/x/net/dns/dnsmessage"
)

// patience is how long one resolver may take, and all of them together: less than
// a client waits, which is 5 s in the C library.
type patience struct{ one, all time.Duration }

func usualPatience() patience { return patience{1500 * time.Millisecond, 4500 * time.Millisecond} }

// forwarder asks the machine's resolvers.
type forwarder struct {
	upstream func() []netip.AddrPort
	ours     func(name string, view View) bool
	log      *slog.Logger
	patience patience
	good     atomic.Uint32 // which resolver answered last

	mu      sync.Mutex
	flights map[flightKey]*flight // guarded by mu
}

// flight is a question under way. Who asks the same meanwhile gets its answer,
// and so does a resolver that asks us what we have asked it.
type flight struct {
	done   chan struct{} // closed when the other two stand
	answer []byte
	err    error
}

type flightKey struct {
	network  string
	view     View
	question string
}

func newForwarder(upstream func() []netip.AddrPort, ours func(string, View) bool, p patience, log *slog.Logger) *forwarder {
	return &forwarder{upstream: upstream, ours: ours, log: log, patience: p, flights: map[flightKey]*flight{}}
}

var (
	errGivenUp    = errors.New("the question was given up")
	errNoUpstream = errors.New("this machine names no resolver")
	errPoison     = errors.New("the answer has records of names that are answered here alone")
)

// ask returns the answer to a message, which is not the caller's alone. It waits
// as long as the resolvers may take.
func (f *forwarder) ask(ctx context.Context, q asked) ([]byte, error) {
	key := flightKey{q.network, q.view, string(q.msg[2:])} // all but the ID
	f.mu.Lock()
	one, known := f.flights[key]
	if !known {
		one = &flight{done: make(chan struct{}), err: errGivenUp}
		f.flights[key] = one
	}
	f.mu.Unlock()
	if known {
		<-one.done
		return one.answer, one.err
	}
	defer func() {
		f.mu.Lock()
		delete(f.flights, key)
		f.mu.Unlock()
		close(one.done)
	}()
	one.answer, one.err = f.try(ctx, q)
	return one.answer, one.err
}

// try asks one resolver after the other, beginning with the one that answered
// last.
func (f *forwarder) try(ctx context.Context, q asked) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, f.patience.all)
	defer cancel()
	all, first := f.upstream(), int(f.good.Load())
	err := errNoUpstream
	for i := range all {
		at := (first + i) % len(all)
		var answer []byte
		if answer, err = f.exchange(ctx, q, all[at]); err == nil {
			err = f.vet(answer, q.view)
		}
		if err == nil {
			f.good.Store(uint32(at))
			return answer, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	f.log.Debug("name is not answered elsewhere", "error", err)
	return nil, err
}

func (f *forwarder) exchange(ctx context.Context, q asked, with netip.AddrPort) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, f.patience.one)
	defer cancel()
	return q.exchange(ctx, with.String())
}

// vet refuses an answer with records of our names: what is ours cannot be told
// from outside.
func (f *forwarder) vet(answer []byte, view View) error {
	var p dns.Parser
	if _, err := p.Start(answer); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if err := p.SkipAllQuestions(); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	for _, section := range []struct {
		header func() (dns.ResourceHeader, error)
		skip   func() error
	}{{p.AnswerHeader, p.SkipAnswer}, {p.AuthorityHeader, p.SkipAuthority}, {p.AdditionalHeader, p.SkipAdditional}} {
		if err := f.vetSection(section.header, section.skip, view); err != nil {
			return err
		}
	}
	return nil
}

func (f *forwarder) vetSection(header func() (dns.ResourceHeader, error), skip func() error, view View) error {
	for {
		h, err := header()
		if errors.Is(err, dns.ErrSectionDone) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read answer: %w", err)
		}
		if h.Type != dns.TypeOPT && f.ours(plain(h.Name), view) {
			return errPoison
		}
		if err := skip(); err != nil {
			return fmt.Errorf("read answer: %w", err)
		}
	}
}

// plain returns a name in lower case and without the final dot.
func plain(n dns.Name) string { return strings.ToLower(strings.TrimSuffix(n.String(), ".")) }

// sameFold reports whether two texts are the same but for the case of ASCII
// letters, as names are compared (RFC 4343).
func sameFold(a, b []byte) bool {
	return len(a) == len(b) && bytes.Equal(lowered(a), lowered(b))
}

func lowered(text []byte) []byte {
	out := bytes.Clone(text)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}
