package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

func TestPublic(t *testing.T) {
	for _, row := range []struct {
		public []string
		want   string // in the error; "" for none
	}{
		{nil, ""},
		{[]string{"all"}, ""},
		{[]string{"0.0.0.0", "2001:db8::5"}, ""},
		{[]string{"192.0.2.1", "198.51.100.1"}, ""},
		{[]string{"::"}, ""},
		{[]string{"192.0.2.1", "eth0"}, `public "eth0": want an address`},
		{[]string{"192.0.2.1:80"}, `public "192.0.2.1:80": want an address`},
		{[]string{"::ffff:192.0.2.1"}, "want an address"},
		{[]string{"fe80::1%eth0"}, "want an address"},
		{[]string{"127.0.0.1"}, "loopback is served anyway"},
		{[]string{"::1"}, "loopback is served anyway"},
		{[]string{"224.0.0.1"}, "cannot connect to it"},
		{[]string{""}, "want an address"},
	} {
		cfg := Default()
		cfg.Public = row.public
		err := cfg.Validate()
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q: got %v, want %q", row.public, err, row.want)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::5")
	cfg := Config{Public: []string{one.String(), other.String()}}
	if got, err := cfg.publicAddresses(); err != nil || len(got) != 2 || got[0] != one || got[1] != other {
		t.Errorf("got %v, %v, want the two", got, err)
	}
	for _, public := range []string{"all", "0.0.0.0", "::"} {
		got, err := Config{Public: []string{public}}.publicAddresses()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range got {
			if a.IsLoopback() || a.IsLinkLocalUnicast() || a.Is6() && public == "0.0.0.0" || a.Is4() && public == "::" {
				t.Errorf("%s has %s", public, a)
			}
		}
	}
}

// What --public names and the machine does not have is told at the start.
func TestAbsentAddresses(t *testing.T) {
	has := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	for _, row := range []struct {
		public []string
		want   string
	}{
		{nil, "[]"},
		{[]string{"all", "0.0.0.0", "::"}, "[]"},
		{[]string{"192.0.2.1", "2001:db8::1"}, "[]"},
		{[]string{"9.9.9.9", "192.0.2.1", "2001:db8::2"}, "[9.9.9.9 2001:db8::2]"},
	} {
		if got := fmt.Sprint(Config{Public: row.public}.absent(has)); got != row.want {
			t.Errorf("--public %v: %s are absent, want %s", row.public, got, row.want)
		}
	}
	var out bytes.Buffer
	if err := (Config{Public: []string{"9.9.9.9"}}).warnAbsent(slog.New(slog.NewTextHandler(&out, nil))); err != nil || !strings.Contains(out.String(), "address=9.9.9.9") {
		t.Errorf("got %v, %s", err, out.String())
	}
}
