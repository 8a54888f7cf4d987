package app

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Those who connect and say nothing, or have been answered, make room for who
// asks; a request under way is never cut.
func TestConnectionsWithoutARequestMakeRoom(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			entered <- struct{}{}
			<-leave
		}
		_, _ = io.WriteString(w, r.URL.Path) // the client may have gone
	}))
	srv.Config.ConnState = newConnections(4, 4).changed
	srv.Start()
	defer srv.Close()
	dial := func() net.Conn {
		t.Helper()
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() }) // the server may have closed it
		return conn
	}
	ask := func(conn net.Conn, path string) {
		t.Helper()
		if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	answer := func(conn net.Conn, want string) {
		t.Helper()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != want {
			t.Fatalf("got %q, %v, want %q", body, err, want)
		}
	}
	held := dial()
	ask(held, "/hold")
	<-entered
	idle := dial()
	ask(idle, "/first")
	answer(idle, "/first")
	for range 50 {
		dial()
	}
	for range 3 { // more often than there is room
		asking := dial()
		ask(asking, "/next")
		answer(asking, "/next")
	}
	if n, err := idle.Read(make([]byte, 1)); err == nil {
		t.Errorf("the connection that idled longest: %d bytes, want it closed", n)
	}
	close(leave)
	answer(held, "/hold")
}

// One address cannot take the connections of others: it makes room for its own.
func TestConnectionsOfOneAddress(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ConnState = newConnections(10, 3).changed
	srv.Start()
	defer srv.Close()
	dial := func(from string) net.Conn {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		conn, err := d.DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() }) // the server may have closed it
		return conn
	}
	answered := func(conn net.Conn) bool {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return false
		}
		_, err := http.ReadResponse(bufio.NewReader(conn), nil)
		return err == nil
	}
	modest := dial("127.0.0.2")
	var greedy []net.Conn
	for range 50 {
		greedy = append(greedy, dial("127.0.0.3"))
	}
	if !answered(greedy[49]) || answered(greedy[0]) {
		t.Error("the newest of an address is to stay, the oldest to make room")
	}
	if !answered(modest) {
		t.Error("another address had to make room")
	}
}
