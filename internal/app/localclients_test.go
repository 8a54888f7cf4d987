package app

import (
	"net/netip"
	"strings"
	"testing"
)

func TestLocalClients(t *testing.T) {
	for _, row := range []struct {
		clients []string
		client  string
		local   bool
		refusal string
	}{
		{nil, "192.0.2.1", false, ""},
		{[]string{"192.0.2.1"}, "192.0.2.1", true, ""},
		{[]string{"192.0.2.1"}, "192.0.2.2", false, ""},
		{[]string{"198.51.100.0/24", "2001:db8::/32"}, "2001:db8::9", true, ""},
		{[]string{"198.51.100.0/24"}, "198.51.100.200", true, ""},
		{[]string{"gateway"}, "127.0.0.9", false, ""},
		{[]string{"198.51.100.1/24"}, "", false, "want an address"},
		{[]string{"::ffff:192.0.2.1"}, "", false, "want an address"},
		{[]string{"router"}, "", false, `local-clients "router"`},
	} {
		cfg := Default()
		cfg.LocalClients = row.clients
		if err := cfg.Validate(); row.refusal != "" {
			if err == nil || !strings.Contains(err.Error(), row.refusal) {
				t.Errorf("%q: %v, want %q", row.clients, err, row.refusal)
			}
			continue
		} else if err != nil {
			t.Errorf("%q: %v", row.clients, err)
		}
		local, err := cfg.localClients()
		if err != nil {
			t.Fatal(err)
		}
		if got := local(netip.MustParseAddr(row.client)); got != row.local {
			t.Errorf("%q: %s counts as local: %t", row.clients, row.client, got)
		}
	}
}
