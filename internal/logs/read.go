package logs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Limits of a page: API_GetLogEvents.
const (
	maxPageEvents = 10_000
	maxPageBytes  = 1 << 20
)

// Event is one event as it is read. Times are milliseconds since 1970.
type Event struct {
	Stream, ID, Message string
	At, IngestedAt      int64
}

// Query asks for a page of one stream.
type Query struct {
	Group, Stream string
	Start         *int64 // ms, inclusive; nil: from the first event
	End           *int64 // ms, exclusive; nil: to the last
	Limit         int    // 0: as many as fit in a page
	FromHead      bool   // the first page is the oldest, not the latest; of no account with a token
	Token         string
}

// Page is a page of a stream, oldest event first. The tokens are never empty:
// at an end the token comes back that was given.
type Page struct {
	Events            []Event
	Forward, Backward string
}

func bounds(s *span, start, before *int64) {
	if start != nil {
		s.startMS = *start
	}
	if before != nil {
		s.beforeMS = *before
	}
}

func pageLimit(n int) (int, error) {
	if n < 0 || n > maxPageEvents {
		return 0, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and %d", n, maxPageEvents)
	}
	if n == 0 {
		n = maxPageEvents
	}
	return n, nil
}

// Events reads a page of a stream: GetLogEvents. Codes:
// InvalidParameterException, ResourceNotFoundException.
func (l *Logs) Events(q Query) (Page, error) {
	limit, err := pageLimit(q.Limit)
	if err != nil {
		return Page{}, err
	}
	s, err := l.stream(q.Group, q.Stream)
	if err != nil {
		return Page{}, err
	}
	sp := whole(q.FromHead)
	at := position{} // where the tokens of an empty page point
	if q.Start != nil {
		at.ms = *q.Start
	}
	if q.Token != "" {
		at, sp.forward, err = parseToken(q.Token)
		if err != nil {
			return Page{}, err
		}
		sp.from = at
	}
	bounds(&sp, q.Start, q.End)
	l.hideExpired(q.Group, &sp)
	j, err := l.journal(s)
	if errors.Is(err, errGone) {
		return Page{}, noStream()
	}
	if err != nil {
		return Page{}, err
	}
	events, err := takePage(newCursor(j, sp), limit)
	if err != nil {
		return Page{}, fmt.Errorf("read log stream %s of %s: %w", q.Stream, q.Group, err)
	}
	return makePage(q.Stream, events, sp.forward, at), nil
}

// takePage takes what fits into a page, in the cursor's order.
func takePage(c *cursor, limit int) ([]event, error) {
	var events []event
	for size := 0; len(events) < limit; c.take() {
		e, ok, err := c.peek()
		if err != nil {
			return nil, err
		}
		if size += len(e.message) + perEventBytes; !ok || size > maxPageBytes && len(events) > 0 {
			break
		}
		events = append(events, e)
	}
	return events, nil
}

func makePage(stream string, events []event, forward bool, at position) Page {
	if !forward {
		slices.Reverse(events)
	}
	first, last := at, at
	if n := len(events); n > 0 {
		first, last = events[0].position, events[n-1].after()
	}
	p := Page{Forward: "f/" + last.digits(), Backward: "b/" + first.digits()}
	for _, e := range events {
		p.Events = append(p.Events, e.public(stream))
	}
	return p
}

func (e event) public(stream string) Event {
	return Event{Stream: stream, ID: eventID(stream, e.position), Message: e.message, At: e.ms, IngestedAt: e.ingested}
}

// hideExpired leaves out events that retention will remove.
func (l *Logs) hideExpired(group string, s *span) {
	if cutoff, ok := l.cutoff(group); ok {
		s.startMS = max(s.startMS, cutoff.UnixMilli())
	}
}

// Search asks for the events of several streams of a group.
type Search struct {
	Group   string
	Streams []string // these; or, when empty,
	Prefix  string   // those whose names begin so
	Start   *int64   // ms, inclusive
	End     *int64   // ms, inclusive
	Pattern string
	Limit   int  // 0: as many as fit in a page
	Newest  bool // newest first
	Token   string
}

// maxSearchBytes is how much one call looks through before it answers with what it has
// and a token to go on.
const maxSearchBytes = 32 << 20

// Search finds events: FilterLogEvents. An empty token says that there are no
// more; a page may be empty and have one. Codes: InvalidParameterException,
// ResourceNotFoundException.
func (l *Logs) Search(ctx context.Context, q Search) (events []Event, token string, err error) {
	limit, err := pageLimit(q.Limit)
	if err != nil {
		return nil, "", err
	}
	p, err := parsePattern(q.Pattern)
	if err != nil {
		return nil, "", err
	}
	m, err := l.openSearch(q)
	if err != nil {
		return nil, "", err
	}
	size, seen := 0, 0
	for at := (place{}); ; {
		if err := context.Cause(ctx); err != nil {
			return nil, "", err
		}
		e, stream, ok, err := m.next()
		if err != nil {
			return nil, "", fmt.Errorf("search log group %s: %w", q.Group, err)
		}
		if !ok {
			return events, "", nil
		}
		hit := p.matches(e.message)
		full := len(events) == limit || hit && len(events) > 0 && size+len(e.message)+perEventBytes > maxPageBytes
		if at.Stream != "" && (full || seen > maxSearchBytes) {
			return events, at.token(), nil
		}
		at = place{e.ms, e.seq, stream}
		seen += len(e.message) + perEventBytes
		if hit {
			size += len(e.message) + perEventBytes
			events = append(events, e.public(stream))
		}
	}
}

// openSearch opens the streams of a search where it stands.
func (l *Logs) openSearch(q Search) (*merge, error) {
	streams, err := l.searched(q)
	if err != nil {
		return nil, err
	}
	var at *place
	if q.Token != "" {
		if at, err = parsePlace(q.Token); err != nil {
			return nil, err
		}
	}
	m := &merge{forward: !q.Newest}
	for _, s := range streams {
		sp := whole(!q.Newest)
		bounds(&sp, q.Start, q.End)
		if q.End != nil && *q.End < math.MaxInt64 {
			sp.beforeMS = *q.End + 1
		}
		l.hideExpired(q.Group, &sp)
		if at != nil {
			sp.from = at.resume(s.Name, sp.forward)
		}
		j, err := l.journal(s)
		if errors.Is(err, errGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		m.add(s.Name, newCursor(j, sp))
	}
	return m, nil
}

func (l *Logs) searched(q Search) ([]Stream, error) {
	if _, err := l.Group(q.Group); err != nil {
		return nil, err
	}
	if len(q.Streams) == 0 {
		return l.streams.List(q.Group + ":" + q.Prefix), nil
	}
	if q.Prefix != "" {
		return nil, invalid("logStreamNames and logStreamNamePrefix are mutually exclusive")
	}
	var out []Stream
	for _, name := range q.Streams {
		s, err := l.stream(q.Group, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out, nil
}
