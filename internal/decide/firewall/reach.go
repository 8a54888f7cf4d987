package firewall

import (
	"fmt"
	"net/netip"
)

// Reach is how far tasks reach whatever their security groups allow.
type Reach string

// The values of Reach, each further than the one before.
const (
	ReachNone     Reach = "none"     // each other
	ReachInternet Reach = "internet" // also public addresses
	ReachLAN      Reach = "lan"      // also private networks that the machine has a route to
	ReachAll      Reach = "all"      // also the machine's own addresses and link-local ones
)

// ParseReach returns the reach with the name.
func ParseReach(text string) (Reach, error) {
	switch r := Reach(text); r {
	case ReachNone, ReachInternet, ReachLAN, ReachAll:
		return r, nil
	}
	return "", fmt.Errorf("task reach %q: want none, internet, lan or all", text)
}

// Machine reports whether tasks reach the machine that they run on.
func (r Reach) Machine() bool { return r == ReachAll }

// Names reports whether tasks reach the machine's name servers, whatever the
// addresses of those are.
func (r Reach) Names() bool { return r != ReachNone }

// Closed returns the networks beyond the instance that tasks do not reach.
func (r Reach) Closed() []netip.Prefix {
	var out []netip.Prefix
	add := func(networks ...string) {
		for _, n := range networks {
			out = append(out, netip.MustParsePrefix(n))
		}
	}
	switch r {
	case ReachNone:
		add("0.0.0.0/0")
	case ReachInternet: // RFC 1918, RFC 6598, RFC 3927
		add("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
	case ReachLAN:
		add("169.254.0.0/16")
	case ReachAll:
	}
	return out
}
