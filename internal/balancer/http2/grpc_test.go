package http2

import (
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
)

// gRPC's interoperability cases (grpc/doc/interop-test-descriptions.md), by its own
// client, through to its own server.
func TestGRPCInterop(t *testing.T) {
	server, client := peer(t, "google.golang.org/grpc/interop/server"), peer(t, "google.golang.org/grpc/interop/client")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	_ = ln.Close()
	srv := exec.CommandContext(t.Context(), server, "--port", strconv.Itoa(port))
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Process.Kill(); _ = srv.Wait() })
	target := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	until(t, "interoperability server", func() bool {
		nc, err := net.DialTimeout("tcp", target, time.Second)
		if err == nil {
			_ = nc.Close()
		}
		return err == nil
	})
	w := newWorld(t, exchange.DefaultSettings())
	w.forwardTo(target)
	host, at, _ := net.SplitHostPort(w.addr)
	// timeout_on_sleeping_server is left out: whether its client or its server, whose
	// reset is a 502 here, notices first that a millisecond is over, is chance.
	for _, name := range []string{
		"empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
		"cancel_after_begin", "cancel_after_first_response", "status_code_and_message",
		"special_status_message", "custom_metadata", "unimplemented_method", "unimplemented_service", "rpc_soak",
	} {
		t.Run(name, func(t *testing.T) {
			w.mu.Lock()
			w.summaries = nil
			w.mu.Unlock()
			out, err := exec.CommandContext(t.Context(), client,
				"--server_host", host, "--server_port", at, "--test_case", name).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if name != "cancel_after_begin" { // it may be cancelled before it is sent
				w.finished(1)
			}
		})
	}
}
