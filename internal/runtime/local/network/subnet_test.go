package network

import (
	"errors"
	"net/netip"
	"testing"
)

func TestChooseSubnet(t *testing.T) {
	for _, row := range []struct {
		name     string
		kept     string
		occupied bool
		taken    []string
		want     string // "": an error
	}{
		{name: "nothing taken", want: "172.31.0.0/20"},
		{name: "first taken", taken: []string{"172.31.0.0/20"}, want: "172.31.16.0/20"},
		{name: "a host within the first", taken: []string{"172.31.3.9/32"}, want: "172.31.16.0/20"},
		{name: "a wider route", taken: []string{"172.16.0.0/12"}, want: "10.31.0.0/20"},
		{name: "all of it", taken: []string{"172.16.0.0/12", "10.0.0.0/8"}},
		{name: "kept", kept: "10.31.0.0/20", taken: []string{"172.31.0.0/20"}, want: "10.31.0.0/20"},
		{name: "kept, taken since", kept: "172.31.16.0/20", taken: []string{"172.31.0.0/20", "172.31.16.0/20"}, want: "172.31.32.0/20"},
		{name: "kept, a wider network since", kept: "172.31.16.0/20", taken: []string{"172.31.0.0/16"}, want: "10.31.0.0/20"},
		{name: "kept, taken since, with tasks in it", kept: "172.31.16.0/20", occupied: true, taken: []string{"172.31.0.0/16"}},
		{name: "kept with tasks in it", kept: "172.31.16.0/20", occupied: true, taken: []string{"172.31.0.0/20"}, want: "172.31.16.0/20"},
	} {
		var taken []route
		for _, p := range row.taken {
			taken = append(taken, route{netip.MustParsePrefix(p), "tun0"})
		}
		var kept netip.Prefix
		if row.kept != "" {
			kept = netip.MustParsePrefix(row.kept)
		}
		got, err := choose(kept, row.occupied, taken)
		if row.want == "" {
			if err == nil {
				t.Errorf("%s: got %v, want an error", row.name, got)
			}
			if o, ok := errors.AsType[*Overlap](err); ok != row.occupied || (ok && (o.Link != "tun0" || o.Subnet != kept)) {
				t.Errorf("%s: got %v", row.name, err)
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
	again := newPool(p.network, netip.MustParseAddr("10.0.0.3"))
	if a, err := again.take(); err != nil || a.String() != "10.0.0.4" {
		t.Errorf("after a restart got %v, %v, want the one after the last", a, err)
	}
}
