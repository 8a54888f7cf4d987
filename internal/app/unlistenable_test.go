package app

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"

	"neargate/internal/runtime/fake"
)

// Whichever flag names an address that cannot be listened on, the error and its
// hint are about that flag.
func TestAnAddressThatIsNotToBeHadIsBlamedOnItsFlag(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	const nobodys = "192.0.2.7:4566" // RFC 5737
	flags := map[string]func(*Config, string){
		"listen": func(c *Config, address string) { c.Listen, c.Insecure = address, true },
		"dns":    func(c *Config, address string) { c.DNS = []string{address} },
	}
	for flag, set := range flags {
		for address, want := range map[string]error{taken.Addr().String(): syscall.EADDRINUSE, nobodys: syscall.EADDRNOTAVAIL} {
			cfg := Default()
			cfg.Data, cfg.Listen, cfg.Engine, cfg.DNS = t.TempDir(), "127.0.0.1:0", fakes{fake.New(fake.Config{})}, nil
			set(&cfg, address)
			srv, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
			if err == nil {
				t.Errorf("--%s %s: taken", flag, address)
				_ = srv.Close(t.Context())
				continue
			}
			u, ok := errors.AsType[*Unlistenable](err)
			if !ok || u.Flag != flag || !errors.Is(err, want) {
				t.Errorf("--%s %s: %v, want %v of that flag", flag, address, err, want)
				continue
			}
			if !strings.Contains(u.Hint(), "--"+flag) || !strings.Contains(err.Error(), address) || strings.Contains(err.Error(), "bind:") {
				t.Errorf("--%s %s: %q, hint %q", flag, address, err, u.Hint())
			}
		}
	}
}
