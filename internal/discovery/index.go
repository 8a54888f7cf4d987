package discovery

import (
	"strings"

	"neargate/internal/model"
)

// index finds namespaces and services by name. Immutable.
type index struct {
	namespaces map[string]model.DiscoveryNamespace // by name in lower case
	services   map[string]model.DiscoveryService   // by NAMESPACE/name in lower case
}

// reindex takes in the committed records. Two at once both see at least what
// their own transactions have changed, and the later one also the other's.
func (d *Directory) reindex() {
	for {
		was := d.index.Load()
		next := &index{namespaces: map[string]model.DiscoveryNamespace{}, services: map[string]model.DiscoveryService{}}
		for _, ns := range d.namespaces.List("") {
			next.namespaces[strings.ToLower(ns.Name)] = ns
		}
		for _, s := range d.services.List("") {
			next.services[serviceKey(s.NamespaceID, s.Name)] = s
		}
		if d.index.CompareAndSwap(was, next) {
			return
		}
	}
}

func serviceKey(namespaceID, name string) string { return namespaceID + "/" + strings.ToLower(name) }

// find returns a service by the names of its namespace and itself.
func (d *Directory) find(namespace, service string) (s model.DiscoveryService, err error) {
	at := d.index.Load()
	ns, ok := at.namespaces[strings.ToLower(namespace)]
	if !ok {
		return s, errNoNamespace(namespace)
	}
	if s, ok = at.services[serviceKey(ns.ID, service)]; !ok {
		return s, errNoService(service)
	}
	return s, nil
}
