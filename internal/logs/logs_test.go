package logs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"neargate/internal/model"
	"neargate/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// base is the time of the first line in the tests.
var base = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type fixture struct {
	*Logs
	dir string
	db  *store.DB
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir()}
	f.reopen(t)
	t.Cleanup(func() { f.db.Close() })
	if err := f.CreateGroup(t.Context(), Group{Name: "g"}); err != nil {
		t.Fatal(err)
	}
	return f
}

// reopen opens the logs as a server's next process would.
func (f *fixture) reopen(t *testing.T) {
	t.Helper()
	if f.db != nil {
		f.db.Close()
	}
	var err error
	if f.db, err = store.Open(filepath.Join(f.dir, "state.db")); err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: filepath.Join(f.dir, "logs"), Place: model.Place{Region: "us-east-1", Account: "000000000000"}, MaxStreamBytes: 12 << 20, MaxTotalBytes: 14 << 20}
	if f.Logs, err = Open(f.db, cfg, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	f.now = func() time.Time { return base.Add(time.Hour) }
}

// lines makes lines at seconds after base.
func lines(prefix string, seconds ...int) []model.LogLine {
	var out []model.LogLine
	for _, s := range seconds {
		out = append(out, model.LogLine{At: base.Add(time.Duration(s) * time.Second), Message: fmt.Sprint(prefix, s)})
	}
	return out
}

func (f *fixture) append(t *testing.T, stream string, l []model.LogLine) {
	t.Helper()
	if err := f.Append(t.Context(), "g", stream, l); err != nil {
		t.Fatal(err)
	}
}

func messages(events []Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Message)
	}
	return out
}

func ms(seconds int) *int64 {
	n := base.Add(time.Duration(seconds) * time.Second).UnixMilli()
	return &n
}

func code(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestEventsOfAStream(t *testing.T) {
	f := newFixture(t)
	f.append(t, "s", lines("", 3, 1, 2))
	f.append(t, "s", lines("", 6, 5))
	f.append(t, "s", lines("", 4))
	for _, row := range []struct {
		name string
		q    Query
		want []string
	}{
		{"all, by their times", Query{}, []string{"1", "2", "3", "4", "5", "6"}},
		{"the latest by default", Query{Limit: 2}, []string{"5", "6"}},
		{"the oldest from the head", Query{Limit: 2, FromHead: true}, []string{"1", "2"}},
		{"from the start on", Query{Start: ms(5)}, []string{"5", "6"}},
		{"to before the end", Query{End: ms(3)}, []string{"1", "2"}},
		{"between both", Query{Start: ms(2), End: ms(4), FromHead: true}, []string{"2", "3"}},
		{"where there are none", Query{Start: ms(7)}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.q.Group, row.q.Stream = "g", "s"
			page, err := f.Events(row.q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, messages(page.Events)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTokensWalkAndStandStillAtTheEnds(t *testing.T) {
	f := newFixture(t)
	f.append(t, "s", lines("", 1, 2, 3, 4, 5))
	q := Query{Group: "g", Stream: "s", Limit: 2, FromHead: true}
	read := func(token string) Page {
		t.Helper()
		q.Token = token
		page, err := f.Events(q)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	var got [][]string
	page := read("")
	for len(page.Events) > 0 {
		got = append(got, messages(page.Events))
		next := read(page.Forward)
		if len(next.Events) == 0 && next.Forward != page.Forward {
			t.Errorf("at the end the token changed from %s to %s", page.Forward, next.Forward)
		}
		page = next
	}
	if diff := cmp.Diff([][]string{{"1", "2"}, {"3", "4"}, {"5"}}, got); diff != "" {
		t.Errorf("forward (-want +got):\n%s", diff)
	}

	end := page.Forward
	f.append(t, "s", lines("", 6)) // a follower sees what comes
	if got := messages(read(end).Events); !slices.Equal(got, []string{"6"}) {
		t.Errorf("after the end = %v, want 6", got)
	}

	got = nil
	q.FromHead = false
	for page = read(""); len(page.Events) > 0; page = read(page.Backward) {
		got = append(got, messages(page.Events))
	}
	if diff := cmp.Diff([][]string{{"5", "6"}, {"3", "4"}, {"1", "2"}}, got); diff != "" {
		t.Errorf("backward (-want +got):\n%s", diff)
	}
	if again := read(page.Backward); again.Backward != page.Backward {
		t.Errorf("at the beginning the token changed from %s to %s", page.Backward, again.Backward)
	}

	f.append(t, "empty", lines("", 1))
	q = Query{Group: "g", Stream: "empty", End: ms(0)}
	page = read("")
	if page.Forward == "" || page.Backward == "" {
		t.Error("an empty page has no tokens")
	}
	for _, bad := range []string{"x", "f/1", "f/" + strings.Repeat("9", 56), "g/" + strings.Repeat("0", 56)} {
		q.Token = bad
		if _, err := f.Events(q); code(err) != "InvalidParameterException" {
			t.Errorf("token %q: %v", bad, err)
		}
	}
}

func TestLinesOfOneMillisecondKeepTheirOrder(t *testing.T) {
	f := newFixture(t)
	var want []string
	for i := range 3000 { // several blocks
		line := model.LogLine{At: base, Message: fmt.Sprintf("%04d %s", i, strings.Repeat("x", 100))}
		want = append(want, line.Message)
		f.append(t, "s", []model.LogLine{line})
	}
	var got []string
	q := Query{Group: "g", Stream: "s", FromHead: true, Limit: 701}
	for {
		page, err := f.Events(q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Events) == 0 {
			break
		}
		got, q.Token = append(got, messages(page.Events)...), page.Forward
	}
	if !slices.Equal(got, want) {
		t.Errorf("read %d lines, want %d in order", len(got), len(want))
	}
}

func TestPageIsBoundedInBytes(t *testing.T) {
	f := newFixture(t)
	big := strings.Repeat("x", 300_000)
	for i := range 5 {
		f.append(t, "s", []model.LogLine{{At: base.Add(time.Duration(i)), Message: big}})
	}
	page, err := f.Events(Query{Group: "g", Stream: "s"})
	if err != nil || len(page.Events) != 3 {
		t.Errorf("a page has %d events of 300 kB, %v, want 3", len(page.Events), err)
	}
	f.append(t, "long", []model.LogLine{{At: base, Message: strings.Repeat("y", maxEventBytes+5)}, {At: base}})
	page, err = f.Events(Query{Group: "g", Stream: "long", FromHead: true, Limit: 5})
	if err != nil || len(page.Events) != 1 || len(page.Events[0].Message) != maxEventBytes {
		t.Fatalf("first page of a long line: %d events, %v", len(page.Events), err)
	}
	page, err = f.Events(Query{Group: "g", Stream: "long", Token: page.Forward})
	if err != nil || !slices.Equal(messages(page.Events), []string{"yyyyy"}) {
		t.Errorf("rest of a long line = %v, %v", messages(page.Events), err)
	}
}

func TestEventsSurviveARestartAndATornEnd(t *testing.T) {
	f := newFixture(t)
	f.append(t, "s", lines("", 1, 2, 3))
	s, _ := f.stream("g", "s")
	path := filepath.Join(f.cfg.Dir, s.ID, "00000001.log")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		file []byte
		want []string
	}{
		{"whole", whole, []string{"1", "2", "3", "4"}},
		{"torn in a message", whole[:len(whole)-1], []string{"1", "2", "4"}},
		{"torn in a length", whole[:len(whole)-len(whole)/3+2], []string{"1", "2", "4"}},
		{"zeros behind", append(slices.Clone(whole), make([]byte, 100)...), []string{"1", "2", "3", "4"}},
		{"nothing left", nil, []string{"4"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := os.WriteFile(path, row.file, 0o600); err != nil {
				t.Fatal(err)
			}
			f.reopen(t)
			f.append(t, "s", lines("", 4))
			page, err := f.Events(Query{Group: "g", Stream: "s"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, messages(page.Events)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			f.reopen(t)
			page, err = f.Events(Query{Group: "g", Stream: "s"})
			if err != nil || !slices.Equal(messages(page.Events), row.want) {
				t.Errorf("after another restart = %v, %v, want %v", messages(page.Events), err, row.want)
			}
		})
	}
}

func TestSearchAcrossStreams(t *testing.T) {
	f := newFixture(t)
	f.append(t, "a1", lines("a ", 1, 3, 5))
	f.append(t, "a2", lines("b ", 2, 3, 6))
	f.append(t, "b", lines("c ", 3, 4))
	all := []string{"a 1", "b 2", "a 3", "b 3", "c 3", "c 4", "a 5", "b 6"}
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	for _, row := range []struct {
		name string
		q    Search
		want []string
	}{
		{"all", Search{}, all},
		{"newest first", Search{Newest: true}, reversed},
		{"by prefix", Search{Prefix: "a"}, []string{"a 1", "b 2", "a 3", "b 3", "a 5", "b 6"}},
		{"by names", Search{Streams: []string{"b", "a1", "b"}}, []string{"a 1", "a 3", "c 3", "c 4", "a 5"}},
		{"to the end itself", Search{Start: ms(3), End: ms(4)}, []string{"a 3", "b 3", "c 3", "c 4"}},
		{"by a pattern", Search{Pattern: "?a ?6 "}, []string{"a 1", "a 3", "a 5", "b 6"}},
		{"none", Search{Pattern: "z"}, nil},
	} {
		for _, limit := range []int{0, 1, 2, 3} {
			t.Run(fmt.Sprint(row.name, " by ", limit), func(t *testing.T) {
				q := row.q
				q.Group, q.Limit = "g", limit
				var got []string
				for {
					events, token, err := f.Search(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, messages(events)...)
					if token == "" {
						break
					}
					q.Token = token
				}
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		}
	}
	events, _, err := f.Search(t.Context(), Search{Group: "g"})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, e := range events {
		if ids[e.ID] = true; len(e.ID) != 56 {
			t.Errorf("event ID %q has %d digits, want 56", e.ID, len(e.ID))
		}
	}
	if len(ids) != len(all) {
		t.Errorf("%d event IDs for %d events", len(ids), len(all))
	}
}

func TestSearchStopsAtItsBudgetAndGoesOn(t *testing.T) {
	f := newFixture(t)
	f.cfg.MaxStreamBytes = 1 << 30
	line := strings.Repeat("x", 500_000)
	for i := range 80 {
		f.append(t, "s", []model.LogLine{{At: base.Add(time.Duration(i) * time.Millisecond), Message: line}})
	}
	f.append(t, "s", lines("needle ", 60))
	q := Search{Group: "g", Pattern: "needle"}
	events, token, err := f.Search(t.Context(), q)
	if err != nil || len(events) != 0 || token == "" {
		t.Fatalf("first call = %v, %q, %v, want nothing yet and a token", messages(events), token, err)
	}
	q.Token = token
	events, token, err = f.Search(t.Context(), q)
	if err != nil || len(events) != 1 || token != "" {
		t.Errorf("second call = %v, %q, %v", messages(events), token, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := f.Search(ctx, Search{Group: "g"}); !errors.Is(err, context.Canceled) {
		t.Errorf("search of a caller who left: %v", err)
	}
}

func TestBounds(t *testing.T) {
	f := newFixture(t)
	big := strings.Repeat("x", 1<<20-100)
	for i := range 30 {
		stream := []string{"one", "two"}[i%2]
		f.append(t, stream, []model.LogLine{{At: base.Add(time.Duration(i) * time.Second), Message: big}})
	}
	files := func() (n int, total int64) {
		segments, err := f.segmentFiles()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range segments {
			total += s.size
		}
		return len(segments), total
	}
	if n, total := files(); total > 2*f.cfg.MaxStreamBytes {
		t.Errorf("%d files with %d bytes, want each stream within its bound", n, total)
	}
	if err := f.sweep(); err != nil {
		t.Fatal(err)
	}
	n, total := files()
	if total > f.cfg.MaxTotalBytes || n == 0 {
		t.Errorf("%d files with %d bytes after the sweep, want at most %d", n, total, f.cfg.MaxTotalBytes)
	}
	if got := f.StoredBytes("g"); got != total {
		t.Errorf("StoredBytes = %d, want %d", got, total)
	}
	var notes []string
	latest := false
	for token := ""; ; {
		events, next, err := f.Search(t.Context(), Search{Group: "g", Token: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			latest = latest || e.At == *ms(29) && e.Message == big
			if strings.HasPrefix(e.Message, "neargate: ") {
				notes = append(notes, e.Message)
			}
		}
		if token = next; token == "" {
			break
		}
	}
	if !latest {
		t.Error("the latest event is gone")
	}
	for _, limit := range []string{"which holds 12 MiB at most", "as all streams together hold 14 MiB at most"} {
		if !slices.ContainsFunc(notes, func(n string) bool { return strings.HasSuffix(n, limit) }) {
			t.Errorf("no stream tells of events removed, %q: %q", limit, notes)
		}
	}
}

func TestRetention(t *testing.T) {
	f := newFixture(t)
	f.append(t, "s", lines("", 1, 7200))
	if err := f.SetRetention(t.Context(), "g", 2); code(err) != "InvalidParameterException" {
		t.Errorf("two days: %v", err)
	}
	if err := f.SetRetention(t.Context(), "g", 1); err != nil {
		t.Fatal(err)
	}
	f.now = func() time.Time { return base.Add(25 * time.Hour) }
	page, err := f.Events(Query{Group: "g", Stream: "s"})
	if err != nil || !slices.Equal(messages(page.Events), []string{"7200"}) {
		t.Errorf("events = %v, %v, want only the one that is not expired", messages(page.Events), err)
	}
	f.now = func() time.Time { return time.Now().Add(27 * time.Hour) } // after the file was written
	if err := f.sweep(); err != nil {
		t.Fatal(err)
	}
	if segments, err := f.segmentFiles(); err != nil || len(segments) != 0 {
		t.Errorf("segments = %v, %v, want none", segments, err)
	}
	f.append(t, "s", lines("later ", 1)) // the stream lives on
}

func TestPutLimits(t *testing.T) {
	f := newFixture(t)
	if err := f.CreateStream(t.Context(), "g", "s"); err != nil {
		t.Fatal(err)
	}
	hours := func(h ...int) []model.LogLine {
		var out []model.LogLine
		for _, n := range h {
			out = append(out, model.LogLine{At: f.now().Add(time.Duration(n) * time.Hour), Message: "m"})
		}
		return out
	}
	long := func(n int) []model.LogLine { return []model.LogLine{{At: base, Message: strings.Repeat("x", n)}} }
	for _, row := range []struct {
		name  string
		lines []model.LogLine
		want  Rejected
		text  string // of the error
	}{
		{"as large as allowed", long(maxEventBytes), Rejected{-1, -1, -1}, ""},
		{"too large", long(maxEventBytes + 1), Rejected{-1, -1, -1}, "Upload too large: 1048577 bytes exceeds limit of 1048576"},
		{"none", nil, Rejected{-1, -1, -1}, "length between 1 and 10000"},
		{"too many", slices.Repeat(hours(0), maxBatchEvents+1), Rejected{-1, -1, -1}, "length between 1 and 10000"},
		{"an empty message", long(0), Rejected{-1, -1, -1}, "logEvents.1.member.message"},
		{"not in order", hours(0, -1), Rejected{-1, -1, -1}, "chronological order"},
		{"over more than a day", hours(-25, 0), Rejected{-1, -1, -1}, "24 hours"},
		{"some too new", hours(1, 2, 3, 4), Rejected{2, -1, -1}, ""},
		{"some too old", hours(-14*24-2, -14*24-1, -14*24), Rejected{-1, 2, -1}, ""},
		{"all too old", hours(-15*24, -15*24+1), Rejected{-1, 2, -1}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := f.Put("g", "s", row.lines)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("rejected (-want +got):\n%s", diff)
			}
			if (err != nil) != (row.text != "") || err != nil && !strings.Contains(err.Error(), row.text) {
				t.Errorf("error = %v, want %q", err, row.text)
			}
		})
	}
	if err := f.SetRetention(t.Context(), "g", 1); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Put("g", "s", hours(-25, -24, -23)); err != nil || got.ExpiredEnd != 1 {
		t.Errorf("past the retention = %+v, %v", got, err)
	}
	if _, err := f.Put("g", "none", hours(0)); code(err) != "ResourceNotFoundException" {
		t.Errorf("unknown stream: %v", err)
	}
}

func TestGroupsAndStreams(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	for _, row := range []struct {
		name string
		err  error
		code string
	}{
		{"group twice", f.CreateGroup(ctx, Group{Name: "g"}), "ResourceAlreadyExistsException"},
		{"bad group name", f.CreateGroup(ctx, Group{Name: "a b"}), "InvalidParameterException"},
		{"reserved group name", f.CreateGroup(ctx, Group{Name: "aws/x"}), "InvalidParameterException"},
		{"stream in no group", f.CreateStream(ctx, "none", "s"), "ResourceNotFoundException"},
		{"bad stream name", f.CreateStream(ctx, "g", "a:b"), "InvalidParameterException"},
		{"append to no group", f.Append(ctx, "none", "s", lines("", 1)), "ResourceNotFoundException"},
		{"delete no group", f.DeleteGroup(ctx, "none"), "ResourceNotFoundException"},
		{"delete no stream", f.DeleteStream(ctx, "g", "none"), "ResourceNotFoundException"},
		{"group that is there", f.EnsureGroup(ctx, "g"), ""},
		{"group that is not there", f.EnsureGroup(ctx, "/ecs/new"), ""},
	} {
		if code(row.err) != row.code {
			t.Errorf("%s: %v, want %q", row.name, row.err, row.code)
		}
	}
	f.append(t, "b", lines("", 1, 9))
	f.append(t, "a", lines("", 5))
	if err := f.CreateStream(ctx, "g", "c"); err != nil {
		t.Fatal(err)
	}
	order := func(byTime, descending bool) string {
		infos, err := f.Streams("g", "", byTime, descending)
		if err != nil {
			t.Fatal(err)
		}
		var out string
		for _, i := range infos {
			out += i.Name
		}
		return out
	}
	if got := []string{order(false, false), order(false, true), order(true, false), order(true, true)}; !slices.Equal(got, []string{"abc", "cba", "cab", "bac"}) {
		t.Errorf("orders = %v", got)
	}
	infos, _ := f.Streams("g", "b", false, false)
	if i := infos[0]; i.First != *ms(1) || i.Last != *ms(9) || i.Ingested != f.now().UnixMilli() || i.ARN != "arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:b" {
		t.Errorf("stream b = %+v", i)
	}

	if err := f.DeleteStream(ctx, "g", "a"); err != nil {
		t.Fatal(err)
	}
	f.append(t, "a", lines("again ", 1)) // a new stream of the old name
	page, err := f.Events(Query{Group: "g", Stream: "a"})
	if err != nil || !slices.Equal(messages(page.Events), []string{"again 1"}) {
		t.Errorf("events = %v, %v", messages(page.Events), err)
	}
	if err := f.DeleteGroup(ctx, "g"); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(f.cfg.Dir); len(left) != 0 {
		t.Errorf("files of a deleted group: %v", left)
	}
}

func TestAppendWhileReadingAndDeleting(t *testing.T) {
	f := newFixture(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 50 {
				err := f.Append(t.Context(), "g", "s", lines("", i))
				if err != nil && code(err) != "ResourceNotFoundException" {
					t.Error(err)
				}
				if _, err := f.Events(Query{Group: "g", Stream: "s"}); err != nil && code(err) != "ResourceNotFoundException" {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 10 {
			if err := f.DeleteStream(t.Context(), "g", "s"); err != nil && code(err) != "ResourceNotFoundException" {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if err := f.sweep(); err != nil {
		t.Error(err)
	}
	f.reopen(t)
	if left, err := os.ReadDir(f.cfg.Dir); err != nil || len(left) > 1 {
		t.Errorf("directories = %v, %v, want that of one stream at most", left, err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Run(ctx); err != nil {
		t.Errorf("Run = %v", err)
	}
}
