package discovery

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

// The routing policies: all healthy instances, eight at most, or one of them.
const (
	Multivalue = "MULTIVALUE"
	Weighted   = "WEIGHTED"
)

// The types of services: found by DNS and the API, or by the API alone.
const (
	serviceDNS  = "DNS_HTTP"
	ServiceHTTP = "HTTP" // by the API alone
)

// serviceForm is API_CreateService, "Name": the pattern without its look-ahead. It is compiled when
// it is needed: supervisors, which run the same program, would pay for it, too.
//
//nolint:gochecknoglobals // a constant
var serviceForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9])(\.([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9]))*$`)
})

// CreateService creates a service from s, which has what the caller says, its ID
// too where that is to be known before. The
// same request again returns the same service. InvalidInput, NamespaceNotFound,
// ServiceAlreadyExists, TooManyTagsException.
func (d *Directory) CreateService(ctx context.Context, s model.DiscoveryService) (model.DiscoveryService, error) {
	if err := checkTags(s.Tags); err != nil {
		return s, err
	}
	if len(s.Name) > 127 || !serviceForm().MatchString(s.Name) {
		return s, invalid("%s is not a valid name of a service", s.Name)
	}
	if s.ID == "" {
		s.ID = "srv-" + random.Hex(16)
	}
	s.ARN, s.CreatedAt, s.NamespaceID = d.cfg.Place.RegistryARN(s.ID), time.Now(), id(s.NamespaceID)
	err := d.update(ctx, func(t tables) error {
		ns, ok := t.namespaces.Get(s.NamespaceID)
		if !ok {
			return errNoNamespace(s.NamespaceID)
		}
		if err := checkRecords(&s, ns); err != nil {
			return err
		}
		for _, other := range t.services.List("") {
			if other.NamespaceID != s.NamespaceID || !strings.EqualFold(other.Name, s.Name) {
				continue
			}
			if s.CreatorRequestID != "" && other.CreatorRequestID == s.CreatorRequestID && slices.Equal(other.Records, s.Records) {
				s = other
				return nil
			}
			return model.Errorf(model.Conflict, "ServiceAlreadyExists", "Service %s already exists: %s", s.Name, other.ID)
		}
		t.services.Put(s.ID, s)
		return nil
	})
	return s, err
}

// checkRecords refuses DNS records that a service of the namespace cannot have,
// and sets what follows from them. API_DnsConfig.
func checkRecords(s *model.DiscoveryService, ns model.DiscoveryNamespace) error {
	if s.Type == ServiceHTTP || ns.Type == HTTP {
		if len(s.Records) > 0 {
			return invalid("DnsConfig cannot be specified for a service that is found by HTTP alone")
		}
		s.Type = ServiceHTTP
		return nil
	}
	s.Type = serviceDNS
	if s.RoutingPolicy == "" {
		s.RoutingPolicy = Multivalue
	}
	var kinds []string
	for _, r := range s.Records {
		if slices.Contains(kinds, r.Type) {
			return invalid("DnsRecords has more than one record of type %s", r.Type)
		}
		kinds = append(kinds, r.Type)
	}
	switch cname := slices.Contains(kinds, "CNAME"); {
	case len(kinds) == 0:
		return invalid("DnsConfig with at least one record is required for services of a DNS namespace")
	case cname && len(kinds) > 1:
		return invalid("A record of type CNAME cannot be combined with others")
	case cname && s.RoutingPolicy != Weighted:
		return invalid("A record of type CNAME requires the routing policy WEIGHTED")
	case len(s.Name)+1+len(ns.Name) > 253:
		return invalid("The name %s.%s is too long", s.Name, ns.Name)
	}
	return nil
}

// Service returns a service by ID or ARN. ServiceNotFound.
func (d *Directory) Service(idOrARN string) (model.DiscoveryService, error) {
	s, ok := d.services.Get(id(idOrARN))
	if !ok {
		return s, errNoService(idOrARN)
	}
	return s, nil
}

// Services returns all services by ID.
func (d *Directory) Services() []model.DiscoveryService { return d.services.List("") }

// ServiceChange is what UpdateService changes; nil leaves a part as it is.
type ServiceChange struct {
	Description *string
	Records     []model.DiscoveryRecord
}

// UpdateService changes a service. InvalidInput, ServiceNotFound.
func (d *Directory) UpdateService(ctx context.Context, idOrARN string, change ServiceChange) (operation string, err error) {
	err = d.update(ctx, func(t tables) error {
		s, ok := t.services.Get(id(idOrARN))
		if !ok {
			return errNoService(idOrARN)
		}
		ns, _ := t.namespaces.Get(s.NamespaceID) // it has this service
		if change.Description != nil {
			s.Description = *change.Description
		}
		if change.Records != nil {
			s.Records = change.Records
		}
		if err := checkRecords(&s, ns); err != nil {
			return err
		}
		t.services.Put(s.ID, s)
		operation = t.record("UPDATE_SERVICE", map[string]string{TargetService: s.ID})
		return nil
	})
	return operation, err
}

// DeleteService deletes a service without instances. ServiceNotFound,
// ResourceInUse.
func (d *Directory) DeleteService(ctx context.Context, idOrARN string) error {
	return d.update(ctx, func(t tables) error {
		s, ok := t.services.Get(id(idOrARN))
		if !ok {
			return errNoService(idOrARN)
		}
		if len(t.instances.List(s.ID+"/")) > 0 || len(d.members(s)) > 0 {
			return model.Errorf(model.Conflict, "ResourceInUse", "Service contains registered instances; delete the instances before deleting the service")
		}
		t.services.Delete(s.ID)
		return nil
	})
}
