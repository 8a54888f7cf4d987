package console

import "net/netip"

// NamesPath is where names are asked for.
const NamesPath = "/_neargate/names"

// Names is the answer of NamesPath: which names there are, and who is told.
type Names struct {
	// Machine and World are where programs of this machine and other machines ask.
	Machine []netip.AddrPort `json:"machine"`
	World   []netip.AddrPort `json:"world"`
	// Domain is the one of serve --domain, "" without.
	Domain string `json:"domain,omitempty"`
	// Zones are answered as a whole: no other server is asked about a name in them.
	Zones         []string        `json:"zones"`
	LoadBalancers []NamedBalancer `json:"load_balancers"`
}

// NamedBalancer is a load balancer with its names, its DNSName first, and the
// addresses by which this machine and others reach it.
type NamedBalancer struct {
	Names   []string     `json:"names"`
	Scheme  string       `json:"scheme"`
	Machine netip.Addr   `json:"machine"`
	World   []netip.Addr `json:"world"`
}

// directory is what knows the names.
type directory interface {
	Names() (Names, error)
}
