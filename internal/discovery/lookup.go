package discovery

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"neargate/internal/model"
)

// Name is what there is at a name of a namespace's zone.
type Name struct {
	Zone        string
	VPC         string // whose names they are
	Missing     bool   // there is no such name
	Records     []Record
	NegativeTTL time.Duration
}

// Record is one DNS record of an instance: an address, another name or a service
// at a name. Exactly one of Address, CNAME, Alias and Target is set.
type Record struct {
	TTL     time.Duration
	Address netip.Addr
	CNAME   string
	Alias   string // has the addresses of a load balancer's name
	Target  string // SRV, at Port
	Port    uint16
}

// maxAnswers is the most that an answer of DNS has. API_DnsConfig, MULTIVALUE.
const maxAnswers = 8

// Lookup returns what there is at a name, which is in lower case and has no final
// dot; ok is false when no namespace has it.
func (d *Directory) Lookup(name string) (n Name, ok bool) {
	at := d.index.Load()
	ns, ok := at.zone(name)
	if !ok {
		return n, false
	}
	n = Name{Zone: strings.ToLower(ns.Name), VPC: ns.VpcID, NegativeTTL: ns.NegativeTTL}
	relative, below := strings.CutSuffix(name, "."+n.Zone)
	if !below {
		return n, true // the zone's own name
	}
	if s, ok := at.services[serviceKey(ns.ID, relative)]; ok {
		n.Records = d.records(s, name)
		return n, true
	}
	host, service, _ := strings.Cut(relative, ".")
	if s, ok := at.services[serviceKey(ns.ID, service)]; ok && slices.ContainsFunc(s.Records, func(r model.DiscoveryRecord) bool { return r.Type == "SRV" }) {
		if n.Records, ok = d.host(s, host); ok {
			return n, true
		}
	}
	n.Missing = !at.above(ns.ID, relative)
	return n, true
}

// zone returns the namespace with the longest name that a name is in.
func (x *index) zone(name string) (model.DiscoveryNamespace, bool) {
	for rest := name; rest != ""; {
		if ns, ok := x.namespaces[rest]; ok && ns.Type == PrivateDNS {
			return ns, true
		}
		_, rest, _ = strings.Cut(rest, ".")
	}
	return model.DiscoveryNamespace{}, false
}

// above reports whether a service's name is below a name, which is there then,
// without records.
func (x *index) above(namespaceID, relative string) bool {
	for key := range x.services {
		if strings.HasPrefix(key, namespaceID+"/") && strings.HasSuffix(key, "."+relative) {
			return true
		}
	}
	return false
}

// records returns the records of a service's name, by its routing policy. An
// instance without an attribute has no record of its type.
func (d *Directory) records(s model.DiscoveryService, name string) (out []Record) {
	all := healthyOrAll(d.of(s))
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	most := maxAnswers
	if s.RoutingPolicy == Weighted {
		most = 1
	}
	for _, in := range all[:min(most, len(all))] {
		for _, r := range s.Records {
			if one, ok := recordOf(in, r, name); ok {
				out = append(out, one)
			}
		}
	}
	return out
}

// recordOf returns an instance's record of a type under a service's name.
func recordOf(in model.Instance, r model.DiscoveryRecord, name string) (Record, bool) {
	one := Record{TTL: r.TTL}
	if alias := in.Attributes[model.InstanceAlias]; alias != "" {
		one.Alias = strings.ToLower(strings.TrimSuffix(alias, "."))
		return one, true
	}
	switch r.Type {
	case "A":
		one.Address, _ = netip.ParseAddr(in.Attributes[model.InstanceIPv4])
	case "AAAA":
		one.Address, _ = netip.ParseAddr(in.Attributes[model.InstanceIPv6])
	case "CNAME":
		one.CNAME = in.Attributes[model.InstanceCNAME]
	case "SRV":
		port, err := strconv.ParseUint(in.Attributes[model.InstancePort], 10, 16)
		if err == nil {
			one.Target, one.Port = strings.ToLower(in.ID)+"."+name, uint16(port)
		}
	}
	return one, one.Address.IsValid() || one.CNAME != "" || one.Target != ""
}

// host returns the addresses of one instance, whose name SRV records have as
// their target; ok is false when there is no such instance.
func (d *Directory) host(s model.DiscoveryService, host string) (out []Record, ok bool) {
	for _, in := range d.of(s) {
		if strings.ToLower(in.ID) != host {
			continue
		}
		for _, attribute := range []string{model.InstanceIPv4, model.InstanceIPv6} {
			if a, err := netip.ParseAddr(in.Attributes[attribute]); err == nil {
				out = append(out, Record{TTL: s.Records[0].TTL, Address: a})
			}
		}
		return out, true
	}
	return nil, false
}
