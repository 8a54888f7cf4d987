package app

import (
	"neargate/internal/discovery"
	"neargate/internal/model"
	"neargate/internal/names"
)

// members are the tasks that Cloud Map asks for.
type members struct{ *parts }

// Members returns the tasks of a service of Cloud Map.
func (m members) Members(registryARN string) []model.Instance { return m.ecs.Members(registryARN) }

// discoveredNames are the names of Cloud Map's namespaces, for tasks and for
// programs of this machine.
type discoveredNames struct{ *parts }

// Lookup implements names.Source.
func (d discoveredNames) Lookup(name string, view names.View) (names.Answer, bool) {
	if view.From == names.World {
		return names.Answer{}, false
	}
	n, ok := d.discovery.Lookup(name)
	if !ok {
		return names.Answer{}, false
	}
	if d.elsewhere(n.VPC, view) {
		return names.Answer{Zone: n.Zone, Missing: true, NegativeTTL: n.NegativeTTL}, true
	}
	a := names.Answer{Zone: n.Zone, Missing: n.Missing, NegativeTTL: n.NegativeTTL}
	for _, r := range n.Records {
		a.Records = append(a.Records, d.records(r, view)...)
	}
	return a, true
}

// elsewhere reports whether it is a task of another VPC that asks: a private
// namespace's names are those of its VPC alone.
func (d discoveredNames) elsewhere(vpcID string, view names.View) bool {
	if view.From != names.Task || !view.Client.IsValid() {
		return false
	}
	_, task, known := metadataTasks(d).TaskAt(view.Client)
	return known && otherVPC(task, vpcID, d.networks.Subnet)
}

// otherVPC reports whether a task is in another VPC than one. A subnet that is
// gone is in none.
func otherVPC(task model.Task, vpcID string, subnet func(id string) (vpcID, zone string, ok bool)) bool {
	in, _, known := subnet(task.Place())
	return known && in != vpcID
}

// records is a record as it is answered: an alias is what there is at its name.
func (d discoveredNames) records(r discovery.Record, view names.View) []names.Record {
	if r.Alias == "" {
		return []names.Record{{TTL: r.TTL, Address: r.Address, Alias: r.CNAME, Target: r.Target, Port: r.Port, Priority: 1, Weight: 1}}
	}
	a, _ := balancerNames(d).Lookup(r.Alias, view)
	return a.Records
}
