package exchange

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client is a request of a codec that knows nothing but payload, such as HTTP/2's:
// its body has come in parts, the first with the head.
type client struct {
	flow     Flow
	parts    []string
	trailers []Field
	watched  func() // called by Watch
	wake     chan struct{}

	head      Head
	interim   []int
	body      strings.Builder
	behind    []Field // trailers that it got
	ended     bool
	aborted   bool
	continued bool
}

func (c *client) Buffered(Form) ([]byte, bool, error) {
	if len(c.parts) == 0 {
		return nil, true, nil
	}
	return []byte(c.parts[0]), len(c.parts) == 1, nil
}

func (c *client) Next(time.Duration) ([]byte, bool, error) {
	if len(c.parts) < 2 {
		<-c.wake
		return nil, false, ErrWoken
	}
	c.parts = c.parts[1:]
	return []byte(c.parts[0]), len(c.parts) == 1, nil
}

func (c *client) Trailers() []Field { return c.trailers }

func (c *client) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *client) Collect(time.Duration) error {
	c.parts = []string{strings.Join(c.parts, "")}
	return nil
}

func (c *client) Continue() error { c.continued = true; return nil }

func (c *client) Watch() {
	if c.watched != nil {
		c.watched()
	}
}

func (c *client) Interim(h *Head) error { c.interim = append(c.interim, h.Status); return nil }

func (c *client) Respond(h *Head, p []byte, end bool) error {
	c.head = *h
	c.head.Fields = append([]Field(nil), h.Fields...)
	return c.Write(p, end)
}

func (c *client) Write(p []byte, end bool) error {
	c.body.Write(p)
	c.ended = end
	return nil
}

func (c *client) WriteTrailers(fields []Field) error {
	c.behind, c.ended = append([]Field(nil), fields...), true
	return nil
}

func (c *client) Abort(bool)                     { c.aborted = true }
func (c *client) Counts() (received, sent int64) { return 0, 0 }

// turn is what a target does with one try. The zero value answers 200 without a
// body.
type turn struct {
	refuses  bool  // the connection
	fails    error // of Head
	statuses []int // the heads; 200 if there are none
	parts    []string
	trailers []Field
	waits    chan struct{} // of capacity 1; if not nil, Head waits for Wake
	waiting  chan struct{} // closed when it does
}

// upstream is a target that does one turn after another, and what it got.
type upstream struct {
	turns []turn
	fwd   []Forward
	body  strings.Builder
	got   []Field // trailers
	freed []bool
}

func (u *upstream) Keep(*Target) Kept { return u }
func (u *upstream) CloseIdle()        {}
func (u *upstream) Close()            {}
func (u *upstream) Break()            {}
func (u *upstream) Prune(time.Time)   {}

func (u *upstream) Open(context.Context, bool) (Try, error) {
	do := u.turns[0]
	u.turns = u.turns[1:]
	if do.refuses {
		return nil, errors.New("refused")
	}
	return &attempt{u: u, do: do, sent: make(chan struct{})}, nil
}

// attempt is one try at an upstream.
type attempt struct {
	u    *upstream
	do   turn
	sent chan struct{} // closed when the request has come entirely
}

func (a *attempt) Send(fwd *Forward, p []byte, end bool) error {
	copied := *fwd
	copied.Fields = append([]Field(nil), fwd.Fields...)
	a.u.fwd = append(a.u.fwd, copied)
	a.u.body.Reset()
	return a.Write(p, end)
}

func (a *attempt) Write(p []byte, end bool) error {
	a.u.body.Write(p)
	if end {
		close(a.sent)
	}
	return nil
}

func (a *attempt) WriteTrailers(fields []Field) error {
	a.u.got = append([]Field(nil), fields...)
	close(a.sent)
	return nil
}

func (a *attempt) Head(h *Head, _ time.Duration) error {
	switch {
	case a.do.waits != nil:
		close(a.do.waiting)
		<-a.do.waits
		return ErrWoken
	case a.do.fails != nil:
		return a.do.fails
	}
	status := 200
	if len(a.do.statuses) > 0 {
		status = a.do.statuses[0]
		a.do.statuses = a.do.statuses[1:]
	}
	if status >= 200 {
		<-a.sent
	}
	*h = Head{Status: status, Fields: append(h.Fields[:0], Field{Name: "server", Value: "theirs"}, Field{Name: "date", Value: "now", ID: DateField}), Length: Unknown}
	return nil
}

func (a *attempt) Buffered(Form) ([]byte, bool, error) { return nil, len(a.do.parts) == 0, nil }

func (a *attempt) Next(time.Duration) ([]byte, bool, error) {
	p := a.do.parts[0]
	a.do.parts = a.do.parts[1:]
	return []byte(p), len(a.do.parts) == 0, nil
}

func (a *attempt) Trailers() []Field { return a.do.trailers }

func (a *attempt) Wake() {
	if a.do.waits != nil {
		a.do.waits <- struct{}{}
	}
}

func (a *attempt) Linger(time.Duration) error     { return nil }
func (a *attempt) Reused() bool                   { return false }
func (a *attempt) Counts() (received, sent int64) { return 0, 0 }
func (a *attempt) Break()                         {}
func (a *attempt) Free(keep bool)                 { a.u.freed = append(a.u.freed, keep) }
func (a *attempt) Release()                       {}

// world is a Router with one target, and an Observer.
type world struct {
	verdict  Verdict
	target   *Target
	outcomes []Outcome
	sum      Summary
	proxy    *Proxy
}

func (w *world) Route(*Request) Verdict          { return w.verdict }
func (w *world) Claim(*Request) (Lease, error)   { return w, nil }
func (w *world) Target() *Target                 { return w.target }
func (w *world) Done(_ *Request, o *Outcome)     { w.outcomes = append(w.outcomes, *o) }
func (w *world) Opened(netip.Addr)               {}
func (w *world) Rejected()                       {}
func (w *world) Closed(netip.Addr)               {}
func (w *world) Finished(_ *Request, s *Summary) { w.sum = *s }

func newWorld(up *upstream) *world {
	w := &world{}
	w.verdict.Group = w
	w.target = NewPool(PoolConfig{Upstreams: Upstreams{HTTP2: up}}).Target(TargetSpec{Addr: netip.MustParseAddrPort("10.0.0.1:80"), Protocol: HTTP2})
	w.proxy = NewProxy(Config{Router: w, Observer: w, Log: slog.New(slog.DiscardHandler), Settings: DefaultSettings()})
	return w
}

// serve has a client's request take its way.
func (w *world) serve(t *testing.T, c *client, change func(*Request)) bool {
	t.Helper()
	c.wake = make(chan struct{}, 1)
	c.flow.Begin(w.proxy, c, &Conn{Client: netip.MustParseAddrPort("192.0.2.1:9"), Scheme: "http"})
	r := &c.flow.Request
	r.Method, r.Scheme, r.Host, r.URI, r.Path, r.Version = "GET", "http", "h", "/", "/", "HTTP/2.0"
	r.Trailers = true
	for _, p := range c.parts {
		r.Length += int64(len(p))
	}
	if change != nil {
		change(r)
	}
	return c.flow.Serve(t.Context())
}

func names(fields []Field) (out []string) {
	for _, f := range fields {
		out = append(out, f.Name+": "+f.Value)
	}
	return out
}

func TestTrailersPassBothWays(t *testing.T) {
	up := &upstream{turns: []turn{{parts: []string{"an", "swer"}, trailers: []Field{{Name: "grpc-status", Value: "0"}}}}}
	w := newWorld(up)
	c := &client{parts: []string{"re", "quest"}, trailers: []Field{{Name: "x-sum", Value: "1"}}}
	if !w.serve(t, c, func(r *Request) { r.Method, r.Length = "POST", Unknown }) {
		t.Error("the client's connection is not fit for another request")
	}
	if up.body.String() != "request" || c.body.String() != "answer" {
		t.Errorf("the target got %q, the client %q", up.body.String(), c.body.String())
	}
	if diff := cmp.Diff([]string{"x-sum: 1"}, names(up.got)); diff != "" {
		t.Errorf("the target's trailers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"grpc-status: 0"}, names(c.behind)); diff != "" || !c.ended {
		t.Errorf("the client's trailers (-want +got), ended %v:\n%s", c.ended, diff)
	}
	if !cmp.Equal(up.freed, []bool{true}) || w.outcomes[0].Failure != OK {
		t.Errorf("freed %v after %v", up.freed, w.outcomes[0].Failure)
	}
}

func TestTrailersStayWhereNobodyTakesThem(t *testing.T) {
	up := &upstream{turns: []turn{{parts: []string{"answer"}, trailers: []Field{{Name: "x", Value: "0"}}}}}
	c := &client{}
	newWorld(up).serve(t, c, func(r *Request) { r.Trailers = false })
	if c.behind != nil || !c.ended || c.body.String() != "answer" {
		t.Errorf("got %q with %v behind, ended %v", c.body.String(), c.behind, c.ended)
	}
}

// TestUnprocessedRequestIsSentAgain whatever its method, since the target says that
// it has not looked at it; and elsewhere when it says so again.
func TestUnprocessedRequestIsSentAgain(t *testing.T) {
	up := &upstream{turns: []turn{{fails: ErrUnprocessed}, {fails: ErrUnprocessed}, {}}}
	w := newWorld(up)
	c := &client{parts: []string{"body"}}
	w.serve(t, c, func(r *Request) { r.Method = "POST" })
	if c.head.Status != 200 || up.body.String() != "body" || len(up.fwd) != 3 {
		t.Errorf("got %d after %d tries, the last with %q", c.head.Status, len(up.fwd), up.body.String())
	}
	if w.outcomes[0].Failure != ConnectRefused || !w.outcomes[0].Retry || w.outcomes[1].Failure != OK {
		t.Errorf("got %+v, want a second target to be asked", w.outcomes)
	}
}

func TestClientThatIsGoneEndsTheWait(t *testing.T) {
	do := turn{waits: make(chan struct{}, 1), waiting: make(chan struct{})}
	w := newWorld(&upstream{turns: []turn{do}})
	c := &client{}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		<-do.waiting
		c.flow.Gone()
	}()
	w.serve(t, c, nil)
	<-gone
	if w.sum.Status != 460 || w.outcomes[0].Failure != ClientGone {
		t.Errorf("got %+v and %v, want 460 and client gone", w.sum, w.outcomes[0].Failure)
	}
}

func TestRewriteAndEdits(t *testing.T) {
	up := &upstream{turns: []turn{{}}}
	w := newWorld(up)
	w.verdict.Rewrite = &Rewrite{Host: "other.example", Path: "/new", Query: "a=b"}
	w.verdict.Edits = &Edits{
		Request: Edit{Remove: []string{"X-Gone"}, Add: []Field{{Name: "X-Added", Value: "1"}}},
		Answer:  Edit{Remove: []string{"Server"}, Add: []Field{{Name: "Strict-Transport-Security", Value: "max-age=1"}}},
	}
	c := &client{}
	w.serve(t, c, func(r *Request) { r.Fields = append(r.Fields, Field{Name: "x-gone", Value: "1"}) })
	fwd := up.fwd[0]
	if fwd.Authority != "other.example" || fwd.URI != "/new?a=b" {
		t.Errorf("the target was asked for %s of %s", fwd.URI, fwd.Authority)
	}
	want := []string{
		"Host: other.example", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http", "X-Forwarded-Port: 80",
		"X-Amzn-Trace-Id: " + c.flow.Request.Trace(), "X-Added: 1",
	}
	if diff := cmp.Diff(want, names(fwd.Fields)); diff != "" {
		t.Errorf("the target got (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"date: now", "Strict-Transport-Security: max-age=1"}, names(c.head.Fields)); diff != "" {
		t.Errorf("the client got (-want +got):\n%s", diff)
	}
}

func TestInterimAnswersPassOnce(t *testing.T) {
	up := &upstream{turns: []turn{{statuses: []int{100, 103, 204}}}}
	w := newWorld(up)
	c := &client{}
	w.serve(t, c, nil)
	if diff := cmp.Diff([]int{103}, c.interim); diff != "" || c.head.Status != 204 {
		t.Errorf("got %d after (-want +got):\n%s", c.head.Status, diff)
	}
}

// later decides when something has come.
type later struct {
	come chan struct{}
	then Verdict
}

func (l *later) Decide(r *Request) Verdict {
	select {
	case <-l.come:
		return l.then
	case <-r.Context().Done():
		return Verdict{Answer: &Answer{Status: 500}}
	}
}

func TestVerdictThatIsWaitedFor(t *testing.T) {
	w := newWorld(&upstream{turns: []turn{{}}})
	wait := &later{come: make(chan struct{}), then: w.verdict}
	wait.then.Edits = &Edits{Request: Edit{Add: []Field{{Name: "X-User", Value: "ann"}}}}
	w.verdict = Verdict{Later: wait}
	close(wait.come)
	c := &client{parts: []string{"bo", "dy"}}
	if !w.serve(t, c, func(r *Request) { r.Method = "POST" }) || c.head.Status != 200 {
		t.Errorf("got %d", c.head.Status)
	}
	up := w.target.kept.(*upstream)
	if v, _ := find(up.fwd[0].Fields, "x-user"); v != "ann" || up.body.String() != "body" {
		t.Errorf("the target got %q of %q", up.body.String(), v)
	}
}

func TestClientThatIsGoneEndsTheWaitForAVerdict(t *testing.T) {
	w := newWorld(&upstream{})
	w.verdict = Verdict{Later: &later{come: make(chan struct{})}}
	c := &client{}
	c.watched = func() { c.flow.Gone() }
	w.serve(t, c, nil)
	if w.sum.Status != 460 || c.head.Status != 0 {
		t.Errorf("got %+v, want 460", w.sum)
	}
}

// TestOnlyWeTellOfUsers has nobody else tell a target who has logged in.
func TestOnlyWeTellOfUsers(t *testing.T) {
	up := &upstream{turns: []turn{{}}}
	w := newWorld(up)
	w.serve(t, &client{}, func(r *Request) {
		for _, name := range []string{"x-amzn-oidc-data", "X-Amzn-Oidc-Identity", "x-amzn-oidc-accesstoken", "X_AMZN_OIDC_DATA", "x-amzn_oidc-identity", "x-amzn-oidc-date"} {
			r.Fields = append(r.Fields, Field{Name: name, Value: "mallory", ID: KnownField(name)})
		}
	})
	var got []string
	for _, f := range up.fwd[0].Fields {
		if f.Value == "mallory" {
			got = append(got, f.Name)
		}
	}
	if diff := cmp.Diff([]string{"x-amzn-oidc-date"}, got); diff != "" {
		t.Errorf("passed (-want +got):\n%s", diff)
	}
}
