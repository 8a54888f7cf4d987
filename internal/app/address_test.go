package app

import (
	"net"
	"testing"
)

func TestAddressIsWhatClientsUse(t *testing.T) {
	for _, row := range []struct{ bound, advertise, want string }{
		{"127.0.0.1:4566", "", "127.0.0.1:4566"},
		{"[::1]:4566", "", "[::1]:4566"},
		{"[::]:4566", "box.lan", "box.lan:4566"},
		{"0.0.0.0:4566", "box.lan:80", "box.lan:80"},
		{"0.0.0.0:4566", "192.0.2.7", "192.0.2.7:4566"},
		{"[::]:4566", "2001:db8::7", "[2001:db8::7]:4566"},
		{"[::]:4566", "[2001:db8::7]", "[2001:db8::7]:4566"},
		{"[::]:4566", "[2001:db8::7]:80", "[2001:db8::7]:80"},
	} {
		bound, err := net.ResolveTCPAddr("tcp", row.bound)
		if err != nil {
			t.Fatal(err)
		}
		c := Default()
		c.Advertise = row.advertise
		if err := c.checkAdvertise(); err != nil {
			t.Errorf("advertise %q: %v", row.advertise, err)
		}
		if got := c.address(bound); got != row.want {
			t.Errorf("at %s, advertise %q: %s, want %s", row.bound, row.advertise, got, row.want)
		}
	}
	for _, bad := range []string{"http://box", "box/", "::", "0.0.0.0", ":80", "box:0", "box:99999", "box:http", "a b", "user@box"} {
		c := Default()
		c.Advertise = bad
		if err := c.checkAdvertise(); err == nil {
			t.Errorf("advertise %q: taken", bad)
		}
	}
}
