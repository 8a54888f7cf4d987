package resolver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func (m Machine) dropIn() string {
	return m.path("etc", "systemd", "resolved.conf.d", "neargate.conf")
}

// installDropIn has systemd-resolved ask the server about its zones, and about
// nothing else. That takes name servers that it has by link, as from DHCP: of those
// that are of no link it asks any, about any name.
func (m Machine) installDropIn(ctx context.Context, s Server) ([]string, error) {
	var zones []string
	for _, z := range s.Zones {
		if !below(z, "localhost") { // systemd-resolved answers for those itself
			zones = append(zones, "~"+z)
		}
	}
	if len(zones) == 0 {
		return nil, &Refusal{"the server has no names but those below localhost, which systemd-resolved knows", "neargate serve --domain example.test gives load balancers other names"}
	}
	others, err := m.globalServers()
	if err != nil {
		return nil, err
	}
	if len(others) > 0 {
		return nil, &Refusal{
			"systemd-resolved has name servers of no link, which it would ask about the server's names too: " + strings.Join(others, " "),
			"give them to the link instead of resolved.conf: DNS= in its .network file, or nmcli connection modify NAME ipv4.dns ADDRESS",
		}
	}
	address := s.Address.Addr().String()
	if s.Address.Port() != port {
		address = s.Address.String()
	}
	text := "# Written by 'neargate dns install'; 'neargate dns uninstall' removes it.\n[Resolve]\nDNS=" + address + "\nDomains=" + strings.Join(zones, " ") + "\n"
	if was, err := os.ReadFile(m.dropIn()); err == nil && string(was) == text {
		return nil, nil
	}
	if err := os.MkdirAll(filepath.Dir(m.dropIn()), 0o755); err != nil {
		return nil, fmt.Errorf("point systemd-resolved at the server: %w", err)
	}
	if err := os.WriteFile(m.dropIn(), []byte(text), 0o644); err != nil {
		return nil, fmt.Errorf("point systemd-resolved at the server: %w", err)
	}
	changes := []string{m.dropIn() + " has systemd-resolved ask " + address + " about " + strings.Join(zones, " ")}
	return changes, m.reload(ctx)
}

func below(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

func (m Machine) reload(ctx context.Context) error {
	if err := m.Reload(ctx); err != nil {
		return &Refusal{"systemd-resolved did not read its files again: " + err.Error(), "systemctl reload-or-restart systemd-resolved"}
	}
	return nil
}

func (m Machine) uninstallDropIn(ctx context.Context) ([]string, error) {
	err := os.Remove(m.dropIn())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("point systemd-resolved away from the server: %w", err)
	}
	_ = os.Remove(filepath.Dir(m.dropIn())) // unless there are others
	return []string{m.dropIn() + " is gone"}, m.reload(ctx)
}
