package discovery

import (
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"neargate/internal/model"
)

// API_RegisterInstance, "InstanceId" and "Attributes".
var (
	instanceForm  = regexp.MustCompile(`^[0-9a-zA-Z_/:.@-]{1,64}$`)
	attributeForm = regexp.MustCompile(`^[a-zA-Z0-9!-~]{1,255}$`)
)

const (
	maxAttributes      = 30
	maxAttributeLength = 1024
	maxAttributeTotal  = 5000
)

// The states of an instance's health.
const (
	Healthy   = "HEALTHY"
	Unhealthy = "UNHEALTHY"
)

// RegisterInstance adds an instance to a service, or replaces it.
// InvalidInput, ServiceNotFound.
func (d *Directory) RegisterInstance(ctx context.Context, in model.Instance) (operation string, err error) {
	err = d.update(ctx, func(t tables) error {
		s, ok := t.services.Get(id(in.ServiceID))
		if !ok {
			return errNoService(in.ServiceID)
		}
		in.ServiceID = s.ID
		if err := checkInstance(in, s); err != nil {
			return err
		}
		in.Unhealthy = in.Attributes[model.InstanceHealth] == Unhealthy
		t.instances.Put(instanceKey(s.ID, in.ID), in)
		operation = t.record("REGISTER_INSTANCE", map[string]string{TargetInstance: in.ID, TargetService: s.ID})
		return nil
	})
	return operation, err
}

func instanceKey(service, instance string) string { return service + "/" + instance }

func checkInstance(in model.Instance, s model.DiscoveryService) error {
	if !instanceForm.MatchString(in.ID) {
		return invalid("%s is not a valid ID of an instance", in.ID)
	}
	if len(in.Attributes) > maxAttributes {
		return invalid("An instance can have at most %d attributes", maxAttributes)
	}
	total := 0
	for key, value := range in.Attributes {
		total += len(key) + len(value)
		if !attributeForm.MatchString(key) || len(value) > maxAttributeLength {
			return invalid("The attribute %s is too long or not valid", key)
		}
	}
	if total > maxAttributeTotal {
		return invalid("The attributes have more than %d characters together", maxAttributeTotal)
	}
	if h, ok := in.Attributes[model.InstanceHealth]; ok {
		switch {
		case !s.CustomHealth:
			return invalid("%s requires a service with HealthCheckCustomConfig", model.InstanceHealth)
		case h != Healthy && h != Unhealthy:
			return invalid("%s must be HEALTHY or UNHEALTHY", model.InstanceHealth)
		}
	}
	return checkValues(in.Attributes, s)
}

// checkValues wants the attributes from which the service's records are made.
func checkValues(attributes map[string]string, s model.DiscoveryService) error {
	if _, ok := attributes[model.InstanceAlias]; ok {
		return checkAlias(attributes, s)
	}
	for _, r := range s.Records {
		attribute := map[string]string{"A": model.InstanceIPv4, "AAAA": model.InstanceIPv6, "SRV": model.InstancePort, "CNAME": model.InstanceCNAME}[r.Type]
		if attributes[attribute] == "" {
			return invalid("The attribute %s is required for records of type %s", attribute, r.Type)
		}
	}
	for _, one := range []struct {
		attribute string
		valid     func(string) bool
	}{
		{model.InstanceIPv4, func(v string) bool { a, err := netip.ParseAddr(v); return err == nil && a.Is4() }},
		{model.InstanceIPv6, func(v string) bool { a, err := netip.ParseAddr(v); return err == nil && a.Is6() && a.Zone() == "" }},
		{model.InstancePort, func(v string) bool { n, err := strconv.ParseUint(v, 10, 16); return err == nil && n > 0 }},
		{model.InstanceCNAME, domainForm().MatchString},
	} {
		if v, ok := attributes[one.attribute]; ok && !one.valid(v) {
			return invalid("%s is not a valid value of %s", v, one.attribute)
		}
	}
	return nil
}

// checkAlias is for an instance that stands for a load balancer.
func checkAlias(attributes map[string]string, s model.DiscoveryService) error {
	plain := func(r model.DiscoveryRecord) bool { return r.Type == "A" || r.Type == "AAAA" }
	switch {
	case s.RoutingPolicy != Weighted || s.CustomHealth || slices.ContainsFunc(s.Records, func(r model.DiscoveryRecord) bool { return !plain(r) }):
		return invalid("%s requires records of type A or AAAA, the routing policy WEIGHTED, and no health check", model.InstanceAlias)
	case attributes[model.InstanceIPv4]+attributes[model.InstanceIPv6]+attributes[model.InstanceCNAME]+attributes[model.InstancePort] != "":
		return invalid("%s cannot be combined with the AWS_INSTANCE attributes", model.InstanceAlias)
	}
	return nil
}

// DeregisterInstance removes an instance that was registered here. Tasks leave
// when they stop. InstanceNotFound, ResourceInUse, ServiceNotFound.
func (d *Directory) DeregisterInstance(ctx context.Context, service, instance string) (operation string, err error) {
	err = d.update(ctx, func(t tables) error {
		s, ok := t.services.Get(id(service))
		if !ok {
			return errNoService(service)
		}
		if !t.instances.Delete(instanceKey(s.ID, instance)) {
			if slices.ContainsFunc(d.members(s), func(m model.Instance) bool { return m.ID == instance }) {
				return model.Errorf(model.Conflict, "ResourceInUse", "The instance %s is a task of Amazon ECS, which deregisters it when it stops", instance)
			}
			return errNoInstance(instance)
		}
		operation = t.record("DEREGISTER_INSTANCE", map[string]string{TargetInstance: instance, TargetService: s.ID})
		return nil
	})
	return operation, err
}

// SetHealth says whether an instance is healthy. CustomHealthNotFound,
// InstanceNotFound, ServiceNotFound.
func (d *Directory) SetHealth(ctx context.Context, service, instance string, healthy bool) error {
	return d.update(ctx, func(t tables) error {
		s, ok := t.services.Get(id(service))
		if !ok {
			return errNoService(service)
		}
		if !s.CustomHealth {
			return model.Errorf(model.NotFound, "CustomHealthNotFound", "The service %s has no custom health check", s.ID)
		}
		in, ok := t.instances.Get(instanceKey(s.ID, instance))
		if !ok {
			return errNoInstance(instance)
		}
		in.Unhealthy = !healthy
		t.instances.Put(instanceKey(s.ID, instance), in)
		return nil
	})
}

// Instances returns the instances of a service by ID: those that were registered,
// and the tasks. ServiceNotFound.
func (d *Directory) Instances(service string) ([]model.Instance, error) {
	s, err := d.Service(service)
	if err != nil {
		return nil, err
	}
	return d.of(s), nil
}

// of is Instances of a service. An instance that says nothing of its health is
// healthy; where nobody is to say anything, all are.
func (d *Directory) of(s model.DiscoveryService) []model.Instance {
	all := append(d.instances.List(s.ID+"/"), d.members(s)...)
	for i := range all {
		all[i].Unhealthy = all[i].Unhealthy && s.CustomHealth
	}
	slices.SortFunc(all, func(a, b model.Instance) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// members returns the tasks of a service.
func (d *Directory) members(s model.DiscoveryService) []model.Instance {
	if d.cfg.Members == nil {
		return nil
	}
	return d.cfg.Members.Members(s.ARN)
}

// Discovery is a question of DiscoverInstances.
type Discovery struct {
	Namespace, Service string            // names
	Health             string            // HEALTHY, UNHEALTHY, ALL or HEALTHY_OR_ELSE_ALL
	Query              map[string]string // attributes that instances must have
	Optional           map[string]string // the same, unless none has them
}

// Discover returns a service and those of its instances that are asked for.
// NamespaceNotFound, ServiceNotFound.
func (d *Directory) Discover(q Discovery) (s model.DiscoveryService, found []model.Instance, err error) {
	if s, err = d.find(q.Namespace, q.Service); err != nil {
		return s, nil, err
	}
	found = slices.DeleteFunc(d.of(s), func(in model.Instance) bool { return !has(in, q.Query) })
	if better := slices.DeleteFunc(slices.Clone(found), func(in model.Instance) bool { return !has(in, q.Optional) }); len(better) > 0 {
		found = better
	}
	switch q.Health {
	case Healthy:
		return s, healthy(found), nil
	case Unhealthy:
		return s, slices.DeleteFunc(found, func(in model.Instance) bool { return !in.Unhealthy }), nil
	case "ALL":
		return s, found, nil
	}
	return s, healthyOrAll(found), nil
}

func has(in model.Instance, attributes map[string]string) bool {
	for key, value := range attributes {
		if in.Attributes[key] != value {
			return false
		}
	}
	return true
}

func healthy(all []model.Instance) []model.Instance {
	return slices.DeleteFunc(slices.Clone(all), func(in model.Instance) bool { return in.Unhealthy })
}

// healthyOrAll returns all where none is healthy: an answer that may be wrong
// helps more than none. API_DiscoverInstances, HEALTHY_OR_ELSE_ALL.
func healthyOrAll(all []model.Instance) []model.Instance {
	if some := healthy(all); len(some) > 0 {
		return some
	}
	return all
}
