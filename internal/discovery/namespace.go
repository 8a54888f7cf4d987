package discovery

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

// The types of namespaces.
const (
	PrivateDNS = "DNS_PRIVATE"
	HTTP       = "HTTP"
)

// defaultNegativeTTL is that of a namespace that says nothing of its SOA record.
const defaultNegativeTTL = 15 * time.Second

// domainForm is what a private name may be. It is compiled when
// it is needed: supervisors, which run the same program, would pay for it, too.
//
//nolint:gochecknoglobals // a constant
var domainForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\.)*[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$`)
})

// CreateNamespace creates a namespace from ns, which has what the caller says,
// and returns the operation. The same request again returns its operation.
// InvalidInput, NamespaceAlreadyExists, TooManyTagsException.
func (d *Directory) CreateNamespace(ctx context.Context, ns model.DiscoveryNamespace) (operation string, err error) {
	if err := d.checkNamespace(&ns); err != nil {
		return "", err
	}
	ns.ID = "ns-" + random.Hex(16)
	ns.ARN, ns.CreatedAt = d.cfg.Place.NamespaceARN(ns.ID), time.Now()
	if ns.Type == PrivateDNS {
		ns.HostedZoneID = "Z" + strings.ToUpper(random.Hex(20))
	}
	err = d.update(ctx, func(t tables) error {
		for _, other := range t.namespaces.List("") {
			if !strings.EqualFold(other.Name, ns.Name) {
				continue
			}
			again := other.Type == ns.Type && other.VpcID == ns.VpcID && other.CreatorRequestID == ns.CreatorRequestID && ns.CreatorRequestID != ""
			if op, ok := t.creation(other.ID); again && ok {
				operation = op
				return nil
			}
			return model.Errorf(model.Conflict, "NamespaceAlreadyExists", "Namespace %s already exists: %s", ns.Name, other.ID)
		}
		t.namespaces.Put(ns.ID, ns)
		operation = t.record("CREATE_NAMESPACE", map[string]string{TargetNamespace: ns.ID})
		return nil
	})
	return operation, err
}

// creation returns the operation that created a namespace, if it is still kept.
func (t tables) creation(namespace string) (string, bool) {
	for _, op := range t.operations.List("") {
		if op.Type == "CREATE_NAMESPACE" && op.Targets[TargetNamespace] == namespace {
			return op.ID, true
		}
	}
	return "", false
}

func (d *Directory) checkNamespace(ns *model.DiscoveryNamespace) error {
	if ns.NegativeTTL == 0 {
		ns.NegativeTTL = defaultNegativeTTL
	}
	switch {
	case ns.Type == PrivateDNS && (len(ns.Name) > 253 || !domainForm().MatchString(ns.Name)):
		return invalid("%s is not a valid domain name", ns.Name)
	case ns.Type == PrivateDNS && reserved(ns.Name):
		return invalid("%s is reserved", ns.Name)
	case ns.Type == PrivateDNS && d.cfg.HasVPC != nil && !d.cfg.HasVPC(ns.VpcID):
		return invalid("The VPC %s does not exist", ns.VpcID)
	}
	return checkTags(ns.Tags)
}

// reserved reports whether a domain cannot be answered for: the VPC's own, and
// those that programs know themselves.
func reserved(name string) bool {
	name = "." + strings.ToLower(name)
	for _, zone := range []string{".localhost", ".ec2.internal", ".compute.internal", ".amazonaws.com", ".neargate.internal"} {
		if strings.HasSuffix(name, zone) {
			return true
		}
	}
	return false
}

// Namespace returns a namespace by ID or ARN. NamespaceNotFound.
func (d *Directory) Namespace(idOrARN string) (model.DiscoveryNamespace, error) {
	ns, ok := d.namespaces.Get(id(idOrARN))
	if !ok {
		return ns, errNoNamespace(idOrARN)
	}
	return ns, nil
}

// NamespaceNamed returns a namespace by its name.
func (d *Directory) NamespaceNamed(name string) (model.DiscoveryNamespace, bool) {
	ns, ok := d.index.Load().namespaces[strings.ToLower(name)]
	return ns, ok
}

// Namespaces returns all namespaces by ID.
func (d *Directory) Namespaces() []model.DiscoveryNamespace { return d.namespaces.List("") }

// UpdateNamespace changes the description and the SOA record's TTL of a
// namespace; nil leaves them. kind is the type that the caller takes it for.
// InvalidInput, NamespaceNotFound.
func (d *Directory) UpdateNamespace(ctx context.Context, idOrARN, kind string, description *string, ttl *time.Duration) (operation string, err error) {
	err = d.update(ctx, func(t tables) error {
		ns, ok := t.namespaces.Get(id(idOrARN))
		switch {
		case !ok:
			return errNoNamespace(idOrARN)
		case ns.Type != kind:
			return invalid("The namespace %s is of type %s", ns.ID, ns.Type)
		}
		if description != nil {
			ns.Description = *description
		}
		if ttl != nil {
			ns.NegativeTTL = *ttl
		}
		t.namespaces.Put(ns.ID, ns)
		operation = t.record("UPDATE_NAMESPACE", map[string]string{TargetNamespace: ns.ID})
		return nil
	})
	return operation, err
}

// DeleteNamespace deletes a namespace without services. NamespaceNotFound,
// ResourceInUse.
func (d *Directory) DeleteNamespace(ctx context.Context, idOrARN string) (operation string, err error) {
	err = d.update(ctx, func(t tables) error {
		ns, ok := t.namespaces.Get(id(idOrARN))
		if !ok {
			return errNoNamespace(idOrARN)
		}
		for _, s := range t.services.List("") {
			if s.NamespaceID == ns.ID {
				return model.Errorf(model.Conflict, "ResourceInUse", "Namespace has associated services; delete the services before deleting the namespace")
			}
		}
		t.namespaces.Delete(ns.ID)
		operation = t.record("DELETE_NAMESPACE", map[string]string{TargetNamespace: ns.ID})
		return nil
	})
	return operation, err
}
