package names

import (
	"net/netip"
	"time"
)

// View is how a question came, on which the addresses in its answer depend.
type View struct {
	From From
	At   netip.Addr // of ours, that was asked
	// Client is who asks for an answer; the zero address where what others say is
	// looked at, for all clients alike.
	Client netip.Addr
}

// of is the view of one client.
func (v View) of(client netip.Addr) View {
	v.Client = client
	return v
}

// From is who asks.
type From int

// Who may ask.
const (
	Task    From = iota // a task of this server
	Machine             // a program of this machine
	World               // another machine, which is told nothing but the names of sources
)

// Source knows names.
type Source interface {
	// Lookup returns what there is at a name, which is in lower case and has no
	// final dot. known is false for a name that the source does not answer for;
	// others are asked then.
	Lookup(name string, from View) (a Answer, known bool)
}

// Answer is what there is at a name.
type Answer struct {
	// Zone is the name at or above which the source answers for all names.
	Zone string
	// Missing says that there is no such name.
	Missing bool
	// Records of all types; none of the type that is asked for is an answer too.
	Records []Record
	// NegativeTTL is how long it may be remembered that there is no record.
	NegativeTTL time.Duration
}

// Record is one record of a name: an address, another name or a service.
// Exactly one of Address, Alias, Pointer and Target is set.
type Record struct {
	Name    string // whose it is; "" is the one that was asked for
	TTL     time.Duration
	Address netip.Addr // A or AAAA
	Alias   string     // CNAME
	Pointer string     // PTR

	Target                 string // SRV, with the next three
	Port, Priority, Weight uint16
}

// Zone returns the longest of zones that a name is in, and "" for none: a zone
// contains its own name and what ends in it after a dot.
func Zone(name string, zones []string) (longest string) {
	for _, z := range zones {
		if within(name, z) && len(z) > len(longest) {
			longest = z
		}
	}
	return longest
}

func within(name, zone string) bool {
	head := len(name) - len(zone)
	return zone != "" && head >= 0 && name[head:] == zone && (head == 0 || name[head-1] == '.')
}
