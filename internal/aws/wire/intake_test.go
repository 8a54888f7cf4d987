package wire_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/aws/wire"
)

// dialAPI starts a server of the test services and more, and returns a way to
// connect to it.
func dialAPI(t *testing.T, cfg wire.Config, more ...wire.Service) func() net.Conn {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	services := append(testServices(), more...)
	services[0].MaxBody = 1 << 20
	srv := httptest.NewServer(wire.NewHandler(services, strict{}, cfg))
	t.Cleanup(srv.Close)
	return func() net.Conn {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() }) // the server may have closed it
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		return conn
	}
}

// head is that of a call to ListClusters, with a body of size bytes to come.
func head(key string, size int) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonEC2ContainerServiceV20141113.ListClusters\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=%s/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=x\r\n"+
		"Content-Length: %d\r\n\r\n", key, size)
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

// answered reads one answer and returns its status and body.
func answered(t *testing.T, conn net.Conn) (int, string) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// A caller without a key is answered although none of its body has come: the
// server waits for no body that it will not read.
func TestUnknownKeyIsRefusedBeforeTheBody(t *testing.T) {
	conn := dialAPI(t, wire.Config{})()
	send(t, conn, head("nobody", 1<<20))
	status, body := answered(t, conn)
	if status != http.StatusBadRequest || !strings.Contains(body, "UnrecognizedClientException") {
		t.Errorf("got %d %s, want 400 and UnrecognizedClientException", status, body)
	}
}

func TestSlowBodyEndsTheRequest(t *testing.T) {
	for _, key := range []string{"test", "nobody"} {
		t.Run(key, func(t *testing.T) {
			conn := dialAPI(t, wire.Config{Patience: time.Millisecond})()
			send(t, conn, head(key, 1000)+"{") // and no more
			status, body := answered(t, conn)
			want := map[string]string{"test": "IncompleteBody", "nobody": "UnrecognizedClientException"}[key]
			if status != http.StatusBadRequest || !strings.Contains(body, want) {
				t.Errorf("got %d %s, want 400 and %s", status, body, want)
			}
			if n, err := conn.Read(make([]byte, 1)); err == nil {
				t.Errorf("%d bytes more, want the connection closed", n)
			}
		})
	}
}

// One large call takes most of the room until it is done: the next large one is
// refused as AWS refuses under load, a small one is not.
func TestLargeBodiesShareOneBound(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	hold := wire.Service{SigningName: "ecs", TargetPrefix: "Hold", Operations: []wire.Operation{
		wire.Op("Hold", func(context.Context, *struct{}) (*struct{}, error) {
			entered <- struct{}{}
			<-leave
			return &struct{}{}, nil
		}),
	}}
	large := "{" + strings.Repeat(" ", 900<<10) + "}" // takes 960 KiB of the room
	dial := dialAPI(t, wire.Config{MaxInFlight: 1 << 20, Patience: 500 * time.Millisecond}, hold)
	first := dial()
	send(t, first, strings.Replace(head("test", len(large)), "AmazonEC2ContainerServiceV20141113.ListClusters", "Hold.Hold", 1)+large)
	<-entered

	call := func(body string) int {
		conn := dial()
		send(t, conn, head("test", len(body))+body)
		status, _ := answered(t, conn)
		return status
	}
	if status := call(large[:200<<10] + "}"); status != http.StatusServiceUnavailable {
		t.Errorf("a large body beside a large one: %d, want 503", status)
	}
	if status := call("{}"); status != http.StatusOK {
		t.Errorf("a small body beside a large one: %d, want 200", status)
	}
	close(leave)
	if status, body := answered(t, first); status != http.StatusOK {
		t.Errorf("the first: %d %s, want 200", status, body)
	}
	if status := call(large); status != http.StatusOK {
		t.Errorf("a large body after it: %d, want 200", status)
	}
}

func TestMethodsThatCallOperations(t *testing.T) {
	h := testHandler(io.Discard)
	type row struct {
		Method string
		Status int
	}
	all := []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FOO"}
	for name, c := range map[string]struct {
		path   string
		header map[string]string
		takes  string
	}{
		"JSON":  {"/", jsonCall(ecsTarget + "ListClusters"), "POST"},
		"CBOR":  {"/service/GraniteServiceVersion20100801/operation/PutMetricData", signedFor("monitoring"), "POST"},
		"Query": {"/?Action=DescribeTargetGroups&Version=2015-12-01", signedFor("elasticloadbalancing"), "GET POST"},
	} {
		t.Run(name, func(t *testing.T) {
			var got, want []row
			for _, method := range all {
				body := "{}"
				if name == "CBOR" {
					body = "\xa2\x69Namespace\x61x\x6aMetricData\x81\xa1\x6aMetricName\x61m"
				}
				r := httptest.NewRequestWithContext(t.Context(), method, c.path, strings.NewReader(body))
				for k, v := range c.header {
					r.Header.Set(k, v)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				status := http.StatusNotFound
				if strings.Contains(c.takes, method) {
					status = http.StatusOK
				} else if method != "HEAD" && !strings.Contains(w.Body.String(), "UnknownOperationException") {
					t.Errorf("%s: %s, want UnknownOperationException", method, w.Body)
				}
				got, want = append(got, row{method, w.Code}), append(want, row{method, status})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
