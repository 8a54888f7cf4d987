package forward

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tinylib/msgp/msgp"

	"neargate/internal/model"
)

// router answers each message with what reply makes of its chunk.
func router(t *testing.T, dir string, reply func(chunk string) string) (messages chan []any) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(dir, "fluent.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	messages = make(chan []any, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			v, err := msgp.NewReader(conn).ReadIntf()
			if err != nil {
				return
			}
			m := v.([]any)
			messages <- m
			chunk, _ := m[2].(map[string]any)["chunk"].(string)
			_, _ = conn.Write(msgp.AppendString(msgp.AppendString(msgp.AppendMapHeader(nil, 1), "ack"), reply(chunk)))
			_ = conn.Close()
		}
	}()
	return messages
}

// [fluentd, "Forward Protocol Specification v1"; moby, daemon/logger/fluentd].
func TestMessage(t *testing.T) {
	dir := t.TempDir()
	messages := router(t, dir, func(chunk string) string { return chunk })
	c := New(dir, "fluent.sock", true, Source{Tag: "app-firelens-1", Container: "app", ContainerID: "id"})
	defer c.Close()
	at := time.Unix(1_700_000_000, 42)
	if err := c.Send(t.Context(), []model.LogLine{{At: at, Message: "out"}, {At: at, Message: "err\xff", Stderr: true}}); err != nil {
		t.Fatal(err)
	}
	m := <-messages
	records := func(log, source string) map[string]any {
		return map[string]any{"container_id": "id", "container_name": "app", "source": source, "log": log}
	}
	entries := m[1].([]any)
	var got []any
	for _, e := range entries {
		got = append(got, e.([]any)[1])
		when := e.([]any)[0].(*msgp.RawExtension)
		if when.Type != 0 || string(when.Data) != "\x65\x53\xf1\x00\x00\x00\x00\x2a" {
			t.Errorf("time is %d %x", when.Type, when.Data)
		}
	}
	if diff := cmp.Diff([]any{records("out", "stdout"), records("err\xff", "stderr")}, got); diff != "" || m[0] != "app-firelens-1" {
		t.Errorf("tag %v: %s", m[0], diff)
	}
}

func TestWhatIsNotAcknowledgedHasNotArrived(t *testing.T) {
	for _, reply := range []string{"another", strings.Repeat("x", 2*maxAck)} {
		dir := t.TempDir()
		router(t, dir, func(string) string { return reply })
		c := New(dir, "fluent.sock", true, Source{})
		if err := c.Send(t.Context(), []model.LogLine{{Message: "x"}}); err == nil {
			t.Errorf("an answer of %d bytes is taken for an acknowledgement", len(reply))
		}
		c.Close()
	}
}

// TestNoWayOutOfTheDirectory: the directory is a container's to write.
func TestNoWayOutOfTheDirectory(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	messages := router(t, outside, func(chunk string) string { return chunk })
	socket := filepath.Join(dir, "fluent.sock")
	for name, put := range map[string]func() error{
		"a link":      func() error { return os.Symlink(filepath.Join(outside, "fluent.sock"), socket) },
		"a file":      func() error { return os.WriteFile(socket, nil, 0o600) },
		"a directory": func() error { return os.Mkdir(socket, 0o700) },
		"nothing":     func() error { return nil },
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		if err := New(dir, "fluent.sock", true, Source{}).Send(t.Context(), []model.LogLine{{Message: "x"}}); err == nil {
			t.Errorf("%s is sent to", name)
		}
		_ = os.Remove(socket)
	}
	if len(messages) > 0 {
		t.Error("a message went out of the directory")
	}
}
