package accesslog

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/model"
)

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// example is the entry of the user guide's "Example HTTP entry".
func example(t *testing.T) Entry {
	t.Helper()
	arrived := moment(t, "2018-07-02T22:22:48.364Z")
	return Entry{
		LoadBalancer: "app/my-loadbalancer/50dc6c495c0c9188", Client: netip.MustParseAddrPort("192.168.131.39:2817"), Target: netip.MustParseAddrPort("10.0.0.1:80"),
		Arrived: arrived, Dispatched: arrived, Answered: arrived.Add(time.Millisecond), Finished: moment(t, "2018-07-02T22:23:00.186641Z"),
		Status: 200, TargetStatus: 200, Received: 34, Sent: 366, Method: "GET", Host: "www.example.com", URI: "/", Version: "HTTP/1.1", Port: 80,
		Node: netip.MustParseAddr("10.0.0.9"), UserAgent: "curl/7.46.0", Trace: "Root=1-58337262-36d228ad5d99923122bbe354", Action: "forward",
		TargetGroup: "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067",
	}
}

func TestLine(t *testing.T) {
	// As in the guide, but for the fields that are newer than its example.
	const want = `http 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 ` +
		`"GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 ` +
		`"Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2018-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-" - "-" "-" "-" 10.0.0.9` + "\n"
	e := example(t)
	if got := string(e.Append(nil)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for _, row := range []struct {
		name   string
		change func(*Entry)
		want   string // a part
	}{
		{"WebSocket", func(e *Entry) { e.Tunnel = true }, "ws 2018"},
		{"no target", func(e *Entry) {
			e.Target, e.TargetStatus, e.Dispatched, e.Answered, e.Status = netip.AddrPort{}, 0, time.Time{}, time.Time{}, 503
		}, `:2817 - -1 -1 -1 503 - 34 366 `},
		{"no answer", func(e *Entry) { e.Answered, e.TargetStatus, e.Status = time.Time{}, 0, 504 }, ` 10.0.0.1:80 0.000 -1 -1 504 - 34 `},
		{"a redirect", func(e *Entry) { e.Action, e.Redirect, e.Priority = "redirect", "https://www.example.com:443/", 10 }, ` 10 2018-07-02T22:22:48.364000Z "redirect" "https://www.example.com:443/" "-" `},
		{"what cannot be read", func(e *Entry) { e.Method, e.Host, e.URI, e.Version, e.Priority = "", "", "", "", NoRule }, `"- http://:80- -" "curl`},
		{"a port in the host", func(e *Entry) { e.Host, e.Port = "[::1]:8000", 8000 }, `"GET http://[::1]:8000/ HTTP/1.1"`},
		{"IPv6 without one", func(e *Entry) { e.Host = "[::1]" }, `"GET http://[::1]:80/ HTTP/1.1"`},
		{"a forged line", func(e *Entry) { e.UserAgent = "a\" b\nhttp \\ä" }, `"a\x22 b\x0ahttp \x5c\xc3\xa4" - -`},
		{"what an ALB would have failed", func(e *Entry) { e.WouldHave, e.WouldReason = 503, "NoTargets" }, `"-" "-" - "-" "-" "-" 10.0.0.9 "neargate:would-have-failed=503 NoTargets"`},
		{"HTTP/2", func(e *Entry) { e.Secure, e.Version, e.Method = true, "HTTP/2.0", "POST" }, `h2 2018`},
		{"its request", func(e *Entry) { e.Secure, e.Version, e.Port = true, "HTTP/2.0", 443 }, `"GET https://www.example.com:443/ HTTP/2.0"`},
		{"gRPC", func(e *Entry) { e.Secure, e.GRPC, e.Version = true, true, "HTTP/2.0" }, "grpcs 2018"},
		{"a WebSocket over TLS", func(e *Entry) { e.Secure, e.Tunnel = true, true }, "wss 2018"},
		{"a connection", func(e *Entry) { e.Conn = exchange.ConnID{0x123456789abcdef, 0xf} }, ` TID_0123456789abcdef000000000000000f "-" "-" "-" 10.0.0.9`},
		{"transforms", func(e *Entry) {
			e.TransformedHost, e.TransformedURI, e.Transform = "inside", "/x?y", "TransformSuccess"
		}, ` - "inside" "/x?y" "TransformSuccess" 10.0.0.9`},
		{"a long User-Agent", func(e *Entry) { e.UserAgent = strings.Repeat("a", 9000) }, ` HTTP/1.1" "` + strings.Repeat("a", 8192) + `" - -`},
		{"an odd request", func(e *Entry) { e.Class, e.ClassReason = "Acceptable", "SpaceInUri" }, `"200" "Acceptable" "SpaceInUri" -`},
	} {
		e := example(t)
		row.change(&e)
		got := string(e.Append(nil))
		if !strings.Contains(got, row.want) || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: got %s, want %s in it", row.name, got, row.want)
		}
	}
}

// sink keeps objects, or fails.
type sink struct {
	objects map[string][]byte
	fail    error
}

func (s *sink) Put(_ context.Context, bucket, key string, content []byte) error {
	if s.fail == nil {
		s.objects[bucket+"/"+key] = content
	}
	return s.fail
}

// lines returns all lines and the key of the last object.
func (s *sink) lines(t *testing.T) (lines int, key string) {
	t.Helper()
	for name, content := range s.objects {
		z, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		lines, key = lines+strings.Count(string(text), "\n"), name
	}
	return lines, key
}

func TestWrite(t *testing.T) {
	l := New(Place{
		Place: model.Place{Region: "us-east-2", Account: "123456789012"}, LoadBalancer: "app/web/50dc6c495c0c9188",
		Address: netip.MustParseAddr("127.64.0.1"), Bucket: "logs", Prefix: "a/b",
	})
	to, now := &sink{objects: map[string][]byte{}}, moment(t, "2018-07-02T22:25:00Z")
	if err := l.Write(t.Context(), to, now); err != nil || len(to.objects) != 0 {
		t.Errorf("an empty log was written: %v, %v", to.objects, err)
	}
	line := []byte("a line\n")
	l.Add(line)
	to.fail = errors.New("no such bucket")
	if err := l.Write(t.Context(), to, now); !errors.Is(err, to.fail) {
		t.Errorf("got %v", err)
	}
	l.Add(line)
	to.fail = nil
	if err := l.Write(t.Context(), to, now); err != nil {
		t.Error(err)
	}
	lines, key := to.lines(t)
	want := regexp.MustCompile(`^logs/a/b/AWSLogs/123456789012/elasticloadbalancing/us-east-2/2018/07/02/123456789012_elasticloadbalancing_us-east-2_app\.web\.50dc6c495c0c9188_20180702T2225Z_127\.64\.0\.1_[A-Za-z0-9]{8}\.log\.gz$`)
	if lines != 2 || !want.MatchString(key) {
		t.Errorf("got %d lines under %s", lines, key)
	}
}

// A log that cannot be written is bounded, and what it loses is counted.
func TestRoomIsBounded(t *testing.T) {
	l := New(Place{Bucket: "logs"})
	line := []byte(strings.Repeat("x", 1<<20) + "\n")
	for range 20 {
		l.Add(line)
	}
	to := &sink{objects: map[string][]byte{}}
	err := l.Write(t.Context(), to, time.Now())
	if lost, ok := errors.AsType[*LostError](err); !ok || lost.Lines != 4 {
		t.Errorf("got %v", err)
	}
	if lines, _ := to.lines(t); lines != 16 {
		t.Errorf("%d lines", lines)
	}
}

// Nobody pays for lines that nobody wants, and nobody allocates for those that go to
// a log.
func TestRequestDoesNotAllocate(t *testing.T) {
	var s Stream
	if s.Wanted() {
		t.Error("a stream that leads nowhere wants lines")
	}
	l, e := New(Place{}), example(t)
	l.lines = make([]byte, 0, 1<<20)
	s.SetLog(l)
	if n := testing.AllocsPerRun(100, func() {
		if s.Wanted() {
			s.Request(&e)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestKeys(t *testing.T) {
	place := Place{
		Place: model.Place{Region: "us-east-2", Account: "123456789012"}, LoadBalancer: "app/web/50dc6c495c0c9188", Address: netip.MustParseAddr("127.64.0.1"),
	}
	for kind, want := range []struct{ key, test string }{
		Access:       {"/123456789012_elasticloadbalancing_us-east-2_app.web.50dc6c495c0c9188_", "AWSLogs/123456789012/ELBAccessLogTestFile"},
		Connections:  {"/conn_log.123456789012_elasticloadbalancing_us-east-2_app.web.50dc6c495c0c9188_", "AWSLogs/123456789012/ELBConnectionLogTestFile"},
		HealthChecks: {"/health_check_log_123456789012_elasticloadbalancing_us-east-2_app.web.50dc6c495c0c9188_", "AWSLogs/123456789012/ELBHealthCheckLogTestFile"},
	} {
		place.Kind = Kind(kind)
		if got := place.key(moment(t, "2018-07-02T22:25:00Z")); !strings.Contains(got, "/2018/07/02"+want.key+"20180702T2225Z_127.64.0.1_") {
			t.Errorf("key %s, want %s in it", got, want.key)
		}
		if got := place.TestKey(); got != want.test {
			t.Errorf("test file %s, want %s", got, want.test)
		}
	}
}
