package balancer

import (
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"neargate/internal/model"
)

// loopback gives load balancers addresses of the loopback network.
type loopback struct{ address netip.Addr }

func (l loopback) Source(model.LoadBalancer) (netip.Addr, error) { return l.address, nil }
func (l loopback) SetDoors(string, []uint16) error               { return nil }
func (l loopback) DropSource(string) error                       { return nil }
func (l loopback) HasAddress(a netip.Addr) bool {
	return netip.MustParsePrefix("127.9.0.0/16").Contains(a)
}

// inTurn gives load balancers that have kept no address the next of a network.
type inTurn struct {
	loopback
	given map[string]netip.Addr
}

func (s *inTurn) Source(lb model.LoadBalancer) (netip.Addr, error) {
	if a, ok := s.given[lb.ARN]; ok {
		return a, nil
	}
	kept := lb.Source
	for !kept.IsValid() || slices.Contains(slices.Collect(maps.Values(s.given)), kept) {
		s.address = s.address.Next()
		kept = s.address
	}
	s.given[lb.ARN] = kept
	return kept, nil
}

// TestRestartKeepsSources: load balancers have their addresses among the targets
// again after a restart, also next to one whose record has none, as an earlier
// version wrote it.
func TestRestartKeepsSources(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	restart := func(last string) *rig {
		return startAt(t, path, Config{Sources: &inTurn{loopback{netip.MustParseAddr(last)}, map[string]netip.Addr{}}})
	}
	r := restart("127.9.0.1")
	var arns []string
	want := map[string]netip.Addr{}
	for _, name := range []string{"a", "b", "c"} {
		lb := r.loadBalancer(name)
		arns = append(arns, lb.ARN)
		want[lb.ARN], _ = r.Source(lb.ARN)
	}
	slices.Sort(arns)
	old := arns[0] // the first of the store
	if _, err := r.UpdateLoadBalancer(t.Context(), old, func(lb *model.LoadBalancer) error { lb.Source = netip.Addr{}; return nil }); err != nil {
		t.Fatal(err)
	}
	r.stop()
	// This one would be given an address of the others, were it the first.
	r = restart("127.9.0.1")
	for _, arn := range arns[1:] {
		if got, _ := r.Source(arn); got != want[arn] {
			t.Errorf("%s has %s after the restart, had %s", arn, got, want[arn])
		}
	}
	want[old], _ = r.Source(old)
	r.stop()
	r = restart("127.9.0.100")
	for _, arn := range arns {
		if got, _ := r.Source(arn); got != want[arn] {
			t.Errorf("%s has %s after two restarts, had %s", arn, got, want[arn])
		}
	}
}

// TestAddressAmongTargets: what targets send to the load balancer's address in
// their network is answered as what comes by its own one.
func TestAddressAmongTargets(t *testing.T) {
	among := netip.MustParseAddr("127.9.8.7")
	b := start(t, Config{Sources: loopback{among}})
	lb, port := b.loadBalancer("web"), freePort(t)
	b.listener(lb, port, []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200, Body: "hello"}}})
	for _, address := range []string{among.String(), lb.Address} {
		if a := get(t, client(t), "http://"+address+":"+strconv.Itoa(port), ""); a.status != 200 || a.body != "hello" {
			t.Errorf("at %s: %+v", address, a)
		}
	}
}
