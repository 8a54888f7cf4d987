package local

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
	"neargate/internal/runtime/local/supervisor"
)

func TestOrderContainer(t *testing.T) {
	image := Rootfs{Layers: []string{"/l"}, Config: model.ImageConfig{
		EntryPoint: []string{"entry"}, Command: []string{"command"}, Env: []string{"A=1"},
		User: "web", WorkingDir: "/srv", StopSignal: "SIGINT",
	}}
	for _, row := range []struct {
		name            string
		entry, command  []string
		user, directory string
		want            supervisor.Container
	}{
		{"all of the image", nil, nil, "", "", supervisor.Container{
			Args: []string{"entry", "command"}, User: "web", WorkingDir: "/srv",
		}},
		{"own command", nil, []string{"mine"}, "", "", supervisor.Container{
			Args: []string{"entry", "mine"}, User: "web", WorkingDir: "/srv",
		}},
		{"own entry point drops the image's command", []string{"other"}, nil, "root", "/", supervisor.Container{
			Args: []string{"other"}, User: "root", WorkingDir: "/",
		}},
	} {
		c := container("app")
		c.EntryPoint, c.Command, c.User, c.WorkingDir = row.entry, row.command, row.user, row.directory
		c.Env = []model.KeyValue{{Name: "B", Value: "2"}}
		row.want.Name, row.want.Layers, row.want.Essential = "app", image.Layers, true
		row.want.Env, row.want.StopSignal = []string{"A=1", "B=2"}, "SIGINT"
		got, err := orderContainer(c, image)
		if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", row.name, err, diff)
		}
	}
	if _, err := orderContainer(container("app"), Rootfs{}); err == nil {
		t.Error("got no error without any command")
	}
}

func TestOrderCheck(t *testing.T) {
	want := &supervisor.Check{
		Args: []string{"/bin/sh", "-c", "true"}, Interval: 30 * time.Second, Timeout: 5 * time.Second, Retries: 3,
	}
	if diff := cmp.Diff(want, orderCheck(&model.ContainerHealthCheck{Command: []string{"CMD-SHELL", "true"}})); diff != "" {
		t.Error(diff)
	}
	for _, none := range [][]string{nil, {"NONE"}, {"CMD"}} {
		if got := orderCheck(&model.ContainerHealthCheck{Command: none}); got != nil {
			t.Errorf("%v: got %+v, want no check", none, got)
		}
	}
}

func TestNameServers(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"a real name server", "search x\nnameserver 192.0.2.1\n", "[192.0.2.1]"},
		{"one on loopback beside it", "nameserver 127.0.0.53\nnameserver 192.0.2.1\n", "[192.0.2.1]"},
		{"only on loopback", "nameserver ::1\nnameserver 127.0.0.1\n", "[]"},
		{"one that IPv4 does not reach", "nameserver 2001:db8::1\nnameserver\n# nameserver 192.0.2.1\n", "[]"},
	} {
		if got := fmt.Sprint(nameServers(row.text)); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
	want := "search ec2.internal\noptions timeout:2 attempts:5\nnameserver 172.31.0.1\n"
	if got := resolvConf(netip.MustParseAddr("172.31.0.1"), "ec2.internal"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
