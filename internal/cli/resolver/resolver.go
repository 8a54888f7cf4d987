// Package resolver points this machine's programs at a server's names, and back:
// by a drop-in of systemd-resolved where that answers them, else by a line in
// /etc/resolv.conf. What was there comes back as it was. Nothing else is
// touched, and what another program writes is left to it.
package resolver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// Machine is where the files are.
type Machine struct {
	Root string // "" is this machine's own
	// Reload has systemd-resolved read its files again.
	Reload func(ctx context.Context) error
}

// Refusal is why a machine cannot be pointed at a server, and what to do.
type Refusal struct { //nolint:errname // it reads as resolver.Refusal
	Why, Hint string
}

// Error returns the reason.
func (r *Refusal) Error() string { return r.Why }

// Server is what a machine is pointed at.
type Server struct {
	Address netip.AddrPort
	Zones   []string // that it answers for
}

func (m Machine) path(parts ...string) string {
	return filepath.Join(append([]string{"/" + strings.TrimPrefix(m.Root, "/")}, parts...)...)
}

// Install points the machine's programs at a server, and returns what it changed,
// a sentence each; nothing when that had been done. Errors: *Refusal.
func (m Machine) Install(ctx context.Context, s Server) (changes []string, err error) {
	resolved, err := m.resolved()
	if err != nil {
		return nil, err
	}
	if resolved {
		return m.installDropIn(ctx, s)
	}
	return m.installLine(s)
}

// Uninstall undoes Install, and returns what it changed; nothing when there was
// nothing to undo.
func (m Machine) Uninstall(ctx context.Context) (changes []string, err error) {
	changes, err = m.uninstallDropIn(ctx)
	if err != nil {
		return changes, err
	}
	more, err := m.uninstallLine()
	return append(changes, more...), err
}

// resolved reports whether systemd-resolved answers the machine's programs.
func (m Machine) resolved() (bool, error) {
	target, err := os.Readlink(m.resolvConf())
	if err == nil && strings.Contains(target, "systemd/resolve") {
		return true, nil
	}
	text, err := os.ReadFile(m.resolvConf())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, &Refusal{"this machine has no /etc/resolv.conf", "make one that names its resolvers"}
	case err != nil:
		return false, fmt.Errorf("read the resolvers of this machine: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "nameserver" {
			return f[1] == "127.0.0.53" || f[1] == "127.0.0.54", nil
		}
	}
	return false, nil
}
