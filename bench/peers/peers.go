// Package peers is what benchmarks of the front door compare: `neargate serve`
// with a load balancer, nginx, HAProxy and Caddy, each with a plain and a TLS port
// before the same backend, with the same certificate, as their users set them up.
// Peers that are not installed are left out aloud.
package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"neargate/bench/rig"
	"neargate/internal/certs"
)

// Name is the host name that the certificate is for.
const Name = "bench.test"

// Peer is one that answers.
type Peer struct {
	Name       string
	Plain, TLS string // addresses
	PID        int    // of its first process
}

// Field is everything that runs.
type Field struct {
	Peers []*Peer

	dir     string
	backend string
	cmds    []*exec.Cmd
	server  *rig.Server
}

// The peers' names.
const (
	Ours    = "neargate serve"
	Nginx   = "nginx"
	HAProxy = "HAProxy"
	Caddy   = "Caddy"
)

// With has measure run on a field of its own, and ends it. The program that calls it
// is a backend itself, when it is called with -backend ADDRESS.
func With(ctx context.Context, w io.Writer, measure func(*Field) error) (err error) {
	dir, err := os.MkdirTemp("", "neargate-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary, err := rig.Build(ctx, dir)
	if err != nil {
		return err
	}
	f, err := assemble(ctx, w, binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Stop(ctx)) }()
	return measure(f)
}

// assemble starts the backend and every peer. binary is neargate's.
func assemble(ctx context.Context, w io.Writer, binary string) (f *Field, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f = &Field{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Stop(ctx))
		}
	}()
	if f.dir, err = os.MkdirTemp("", "neargate-peers"); err != nil {
		return f, err
	}
	if err := os.Chmod(f.dir, 0o755); err != nil { // nginx's workers are somebody else
		return f, err
	}
	if err := f.certify(); err != nil {
		return f, err
	}
	if f.backend, err = address(ctx); err != nil {
		return f, err
	}
	if _, err := f.run(ctx, f.backend, self, "-backend", f.backend); err != nil {
		return f, fmt.Errorf("start the backend: %w", err)
	}
	if err := f.startOurs(ctx, binary); err != nil {
		return f, err
	}
	for _, p := range []struct {
		name  string
		write func(plain, secure string) []string
	}{{Nginx, f.nginx}, {HAProxy, f.haproxy}, {Caddy, f.caddy}} {
		if err := f.startPeer(ctx, w, p.name, p.write); err != nil {
			return f, err
		}
	}
	return f, nil
}

// certify makes the certificate that all show.
func (f *Field) certify() error {
	authority, err := certs.OpenAuthority(filepath.Join(f.dir, "ca"), time.Now())
	if err != nil {
		return err
	}
	cert, key, err := authority.Issue([]string{Name, "127.0.0.1"}, time.Now(), 24*time.Hour)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"cert.pem": cert, "key.pem": key, "both.pem": append(append([]byte{}, cert...), key...), "ca.pem": authority.Root()} {
		if err := os.WriteFile(f.path(name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (f *Field) path(name string) string { return filepath.Join(f.dir, name) }

// CAFile is the file with the root that clients have to trust.
func (f *Field) CAFile() string { return f.path("ca.pem") }

func address(ctx context.Context) (string, error) {
	port, err := rig.FreePort(ctx)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), err
}

func (f *Field) startPeer(ctx context.Context, w io.Writer, name string, write func(plain, secure string) []string) error {
	plain, err := address(ctx)
	if err != nil {
		return err
	}
	secure, err := address(ctx)
	if err != nil {
		return err
	}
	command := write(plain, secure)
	if _, err := exec.LookPath(command[0]); err != nil {
		fmt.Fprintf(w, "left out: %s is not installed\n", name)
		return nil //nolint:nilerr // as said
	}
	pid, err := f.run(ctx, secure, command...)
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	f.Peers = append(f.Peers, &Peer{Name: name, Plain: plain, TLS: secure, PID: pid})
	return nil
}

// run runs a command and waits until it listens at an address.
func (f *Field) run(ctx context.Context, addr string, command ...string) (pid int, err error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // our own
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "HOME="+f.dir, "XDG_DATA_HOME="+f.dir, "XDG_CONFIG_HOME="+f.dir)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	f.cmds = append(f.cmds, cmd)
	err = rig.Until(ctx, addr+" to answer", 10*time.Second, 10*time.Millisecond, func(ctx context.Context) (bool, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return false, nil //nolint:nilerr // not yet
		}
		return true, c.Close()
	})
	return cmd.Process.Pid, err
}

// family returns a process and its children.
func family(pid int) []int {
	all := []int{pid}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return all
	}
	for _, word := range splitWords(string(children)) {
		if child, err := strconv.Atoi(word); err == nil {
			all = append(all, child)
		}
	}
	return all
}

// Stop ends everything and takes its files away.
func (f *Field) Stop(ctx context.Context) error {
	var errs []error
	for _, cmd := range f.cmds {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	if f.server != nil {
		errs = append(errs, f.server.Remove(ctx))
	}
	return errors.Join(append(errs, os.RemoveAll(f.dir))...)
}

// CPU is the user and system time that a peer's processes have used.
func (p *Peer) CPU() (total time.Duration, err error) {
	for _, pid := range family(p.PID) {
		t, err := rig.CPUTime(pid)
		if err != nil {
			return 0, err
		}
		total += t
	}
	return total, nil
}

// Resident is the memory of a peer's processes that is in RAM, in bytes; pages
// that they share count for each.
func (p *Peer) Resident() (total int64, err error) {
	for _, pid := range family(p.PID) {
		n, err := rig.ResidentBytes(pid)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
