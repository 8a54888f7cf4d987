package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// field is everything that runs during the comparison.
type field struct {
	contestants []contestant
	procs       []*exec.Cmd
}

// contestant is something that answers at addr; pid is 0 for no proxy.
type contestant struct {
	name string
	addr string
	pid  int
}

const backends = 4

// assemble starts the backends and every proxy that is installed.
func assemble(ctx context.Context, dir string, w io.Writer) (*field, error) {
	f := &field{}
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	var addrs []string
	for range backends {
		addr, err := freeAddr(ctx)
		if err != nil {
			return f, err
		}
		if _, err := f.start(ctx, addr, self, "-role", "backend", "-addr", addr); err != nil {
			return f, err
		}
		addrs = append(addrs, addr)
	}
	f.contestants = append(f.contestants, contestant{name: direct, addr: addrs[0]})
	for _, p := range []struct {
		name    string
		command func(addr string) ([]string, error)
	}{
		{ours, func(addr string) ([]string, error) {
			return append([]string{self, "-role", "balancer", "-addr", addr}, addrs...), nil
		}},
		{bare, func(addr string) ([]string, error) {
			return append([]string{self, "-role", "http1", "-addr", addr}, addrs...), nil
		}},
		{nginx, func(addr string) ([]string, error) { return nginxCommand(dir, addr, addrs) }},
		{haproxy, func(addr string) ([]string, error) { return haproxyCommand(dir, addr, addrs) }},
		{stdlib, func(addr string) ([]string, error) {
			return append([]string{self, "-role", "reverseproxy", "-addr", addr}, addrs...), nil
		}},
	} {
		addr, err := freeAddr(ctx)
		if err != nil {
			return f, err
		}
		args, err := p.command(addr)
		if err != nil {
			fmt.Fprintf(w, "left out: %s: %v\n", p.name, err)
			continue
		}
		pid, err := f.start(ctx, addr, args[0], args[1:]...)
		if err != nil {
			return f, fmt.Errorf("start %s: %w", p.name, err)
		}
		f.contestants = append(f.contestants, contestant{p.name, addr, pid})
	}
	return f, nil
}

// The contestants' names.
const (
	direct  = "no proxy"
	ours    = "neargate"
	bare    = "neargate, codec without rules"
	nginx   = "nginx"
	haproxy = "HAProxy"
	stdlib  = "net/http ReverseProxy"
)

// freeAddr finds a port that is free now.
func freeAddr(ctx context.Context) (string, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// start runs a command and waits until it listens at addr.
func (f *field) start(ctx context.Context, addr, name string, args ...string) (pid int, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	f.procs = append(f.procs, cmd)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		if c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr); err == nil {
			return cmd.Process.Pid, c.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return 0, fmt.Errorf("nothing listens at %s after 5 s", addr)
}

// stop ends what start began; nginx and HAProxy end their workers themselves.
func (f *field) stop() {
	for _, cmd := range f.procs {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
}

func nginxCommand(dir, addr string, backends []string) ([]string, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		return nil, err
	}
	conf := fmt.Sprintf(`daemon off; worker_processes 2; pid %[1]s/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	keepalive_requests 100000000;
	upstream targets { least_conn; server %[2]s; keepalive 128; keepalive_requests 100000000; }
	server {
		listen %[3]s;
		location / {
			proxy_pass http://targets; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_set_header Host $host;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Proto http; proxy_set_header X-Forwarded-Port $server_port;
			proxy_set_header X-Amzn-Trace-Id "Root=1-$request_id";
		}
	}
}
`, dir, strings.Join(backends, "; server "), addr)
	file := filepath.Join(dir, "nginx.conf")
	return []string{path, "-e", "stderr", "-p", dir, "-c", file}, os.WriteFile(file, []byte(conf), 0o644)
}

func haproxyCommand(dir, addr string, backends []string) ([]string, error) {
	path, err := exec.LookPath("haproxy")
	if err != nil {
		return nil, err
	}
	var servers strings.Builder
	for i, b := range backends {
		fmt.Fprintf(&servers, "\tserver b%d %s\n", i, b)
	}
	conf := fmt.Sprintf(`global
	nbthread 2
	maxconn 4096
defaults
	mode http
	timeout client 60s
	timeout server 60s
	timeout connect 10s
	option forwardfor
	http-reuse always
	balance leastconn
listen main
	bind %s
	http-request set-header X-Forwarded-Proto http
	http-request set-header X-Forwarded-Port 80
	http-request set-header X-Amzn-Trace-Id Root=1-%%[uuid]
%s`, addr, servers.String())
	file := filepath.Join(dir, "haproxy.cfg")
	return []string{path, "-db", "-q", "-f", file}, os.WriteFile(file, []byte(conf), 0o644)
}
