package balancer

import (
	"net/netip"
	"strconv"
	"testing"

	"neargate/internal/model"
)

// loopback gives load balancers addresses of the loopback network.
type loopback struct{ address netip.Addr }

func (l loopback) Source(string, []string) (netip.Addr, error) { return l.address, nil }
func (l loopback) SetDoors(string, []uint16) error             { return nil }
func (l loopback) DropSource(string) error                     { return nil }

// TestAddressAmongTargets: what targets send to the load balancer's address in
// their network is answered as what comes by its own one.
func TestAddressAmongTargets(t *testing.T) {
	among := netip.MustParseAddr("127.9.8.7")
	b := start(t, Config{Sources: loopback{among}, Network: netip.MustParsePrefix("127.9.0.0/16")})
	lb, port := b.loadBalancer("web"), freePort(t)
	b.listener(lb, port, []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200, Body: "hello"}}})
	for _, address := range []string{among.String(), lb.Address} {
		if a := get(t, client(t), "http://"+address+":"+strconv.Itoa(port), ""); a.status != 200 || a.body != "hello" {
			t.Errorf("at %s: %+v", address, a)
		}
	}
}
