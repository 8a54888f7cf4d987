package network

import (
	"net/netip"
	"testing"
)

func TestFreeSubnet(t *testing.T) {
	for _, row := range []struct {
		name  string
		taken []string
		want  string
	}{
		{"nothing taken", nil, "172.31.0.0/20"},
		{"first taken", []string{"172.31.0.0/20"}, "172.31.16.0/20"},
		{"a host within the first", []string{"172.31.3.9/32"}, "172.31.16.0/20"},
		{"a wider route", []string{"172.16.0.0/12"}, "10.31.0.0/20"},
		{"all of it", []string{"172.16.0.0/12", "10.0.0.0/8"}, ""},
	} {
		var taken []netip.Prefix
		for _, p := range row.taken {
			taken = append(taken, netip.MustParsePrefix(p))
		}
		got, err := freeSubnet(taken)
		if row.want == "" {
			if err == nil {
				t.Errorf("%s: got %v, want an error", row.name, got)
			}
			continue
		}
		if err != nil || got.String() != row.want {
			t.Errorf("%s: got %v, %v, want %s", row.name, got, err, row.want)
		}
	}
}

func TestPoolTakesTurns(t *testing.T) {
	p := newPool(netip.MustParsePrefix("10.0.0.0/29"), netip.Addr{})
	var got []string
	for range 5 { // .2 to .6: neither network, gateway nor broadcast
		a, err := p.take()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a.String())
	}
	if got[0] != "10.0.0.2" || got[4] != "10.0.0.6" {
		t.Errorf("got %v", got)
	}
	if a, err := p.take(); err == nil {
		t.Errorf("got %v of a full subnet", a)
	}
	delete(p.used, netip.MustParseAddr("10.0.0.2"))
	delete(p.used, netip.MustParseAddr("10.0.0.4"))
	for _, want := range []string{"10.0.0.2", "10.0.0.4"} {
		if a, err := p.take(); err != nil || a.String() != want {
			t.Errorf("got %v, %v, want %s", a, err, want)
		}
	}
	again := newPool(p.subnet, netip.MustParseAddr("10.0.0.3"))
	if a, err := again.take(); err != nil || a.String() != "10.0.0.4" {
		t.Errorf("after a restart got %v, %v, want the one after the last", a, err)
	}
}
