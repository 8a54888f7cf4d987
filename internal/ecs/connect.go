package ecs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"neargate/internal/model"
)

// ConnectSettings turn Service Connect on for a service, or off.
type ConnectSettings struct {
	Enabled   bool
	Namespace string                 // name or ARN; "" is the cluster's default
	Services  []model.ConnectService // what they say of the task definition is filled in
	Given     []byte                 // as in model.ServiceConnect

	made *model.ServiceConnect // by resolveConnect
}

func errNamespaceNotFound() error {
	return model.Errorf(model.NotFound, "NamespaceNotFoundException", "The specified namespace was not found.")
}

// defaultNamespace returns the default namespace that a cluster is to have. One of a new name is created, as ECS does. NamespaceNotFoundException,
// InvalidParameterException.
func (c *Catalogue) defaultNamespace(ctx context.Context, nameOrARN *string) (none model.Namespace, err error) {
	switch {
	case nameOrARN == nil || *nameOrARN == "":
		return none, nil
	case c.cfg.Namespaces == nil:
		return none, errNamespaceNotFound()
	}
	ns, ok := c.cfg.Namespaces.Namespace(*nameOrARN)
	if !ok && strings.HasPrefix(*nameOrARN, "arn:") {
		return none, errNamespaceNotFound()
	}
	if ok {
		return ns, nil
	}
	return c.cfg.Namespaces.CreateNamespace(ctx, *nameOrARN)
}

// resolveConnect checks what of the settings holds whatever the service is, and
// finds the namespace. It asks Cloud Map, so it is not for use within a
// transaction. NamespaceNotFoundException, InvalidParameterException.
func (c *Catalogue) resolveConnect(cluster string, s *ConnectSettings) error {
	if s == nil || !s.Enabled {
		return nil
	}
	name := s.Namespace
	if name == "" {
		known, _ := c.clusters.Get(clusterName(cluster))
		if name = known.ConnectNamespace.ARN; name == "" {
			return invalid("Namespace is required when Service Connect is enabled and the cluster has no default namespace.")
		}
	}
	if c.cfg.Namespaces == nil {
		return errNamespaceNotFound()
	}
	ns, ok := c.cfg.Namespaces.Namespace(name)
	if !ok {
		return errNamespaceNotFound()
	}
	s.made = &model.ServiceConnect{NamespaceARN: ns.ARN, Namespace: ns.Name, Given: s.Given}
	for _, one := range s.Services {
		if err := checkConnect(one); err != nil {
			return err
		}
		one.DiscoveryARN = c.discoveryARN(ns.ARN, one.Discovery())
		s.made.Services = append(s.made.Services, one)
	}
	return nil
}

// discoveryARN names an endpoint as a service of Cloud Map.
func (c *Catalogue) discoveryARN(namespaceARN, discovery string) string {
	sum := sha256.Sum256([]byte(namespaceARN + " " + discovery))
	return c.cfg.Place.RegistryARN("srv-" + hex.EncodeToString(sum[:8]))
}

// checkConnect refuses an endpoint that could be none (API_ServiceConnectService).
// InvalidParameterException.
func checkConnect(s model.ConnectService) error {
	const names = "abcdefghijklmnopqrstuvwxyz0123456789_-"
	within := func(d *time.Duration) bool { return d == nil || *d >= 0 && *d <= 2147483647*time.Second }
	switch {
	case s.PortName == "":
		return invalid("portName can not be blank in a Service Connect service.")
	case len(s.DiscoveryName) > 64 || strings.Trim(s.Discovery(), names) != "" || strings.HasPrefix(s.Discovery(), "-"):
		return invalid("Invalid discoveryName '%s': up to 64 lowercase letters, numbers, underscores, and hyphens are allowed, and it can't start with a hyphen.", s.Discovery())
	case len(s.DNSName) > 127 || strings.Trim(s.DNSName, names+".") != "" || strings.HasPrefix(s.DNSName, "-"):
		return invalid("Invalid dnsName '%s': up to 127 lowercase letters, numbers, underscores, hyphens, and periods are allowed, and it can't start with a hyphen.", s.DNSName)
	case s.Port < 0 || s.Port > 65535:
		return invalid("Invalid port %d in a client alias: it must be between 1 and 65535.", s.Port)
	case s.IngressPort < 0 || s.IngressPort > 65535:
		return invalid("Invalid ingressPortOverride %d: it must be between 1 and 65535.", s.IngressPort)
	case !within(s.IdleTimeout), !within(s.RequestTimeout):
		return invalid("Timeouts of a Service Connect service cannot be negative.")
	}
	return nil
}

// connect fills in what the task definition says of the service's endpoints, and
// refuses those that another service has. InvalidParameterException.
func (t tables) connect(svc *model.Service, def model.TaskDefinition) error {
	if svc.Connect == nil {
		return nil
	}
	made := *svc.Connect
	made.Services = nil
	for _, s := range svc.Connect.Services {
		if err := connectPort(&s, def); err != nil {
			return err
		}
		if err := distinct(s, made.Services, made.Namespace); err != nil {
			return err
		}
		made.Services = append(made.Services, s)
	}
	for _, other := range t.services.List("") {
		if other.ARN == svc.ARN || other.Status != model.Active || other.Connect == nil || other.Connect.NamespaceARN != made.NamespaceARN {
			continue
		}
		for _, s := range made.Services {
			if err := distinct(s, other.Connect.Services, made.Namespace); err != nil {
				return err
			}
		}
	}
	svc.Connect = &made
	return nil
}

func connectPort(s *model.ConnectService, def model.TaskDefinition) error {
	for _, c := range def.Containers {
		for _, p := range c.PortMappings {
			if p.Name != s.PortName {
				continue
			}
			s.ContainerName, s.ContainerPort, s.Protocol = c.Name, p.ContainerPort, p.AppProtocol
			if s.RequestTimeout != nil && s.Protocol == "" {
				return invalid("perRequestTimeoutSeconds can only be set if the appProtocol of port '%s' is not TCP.", s.PortName)
			}
			return nil
		}
	}
	return invalid("The portName '%s' in the Service Connect configuration does not match the name of a port mapping in the task definition.", s.PortName)
}

// checkConnectShift refuses to shift the traffic of endpoints: their targets have
// no weights. UnsupportedFeatureException.
func checkConnectShift(svc *model.Service) error {
	if svc.Rollout.Strategy.Shifts() && svc.Connect != nil && len(svc.Connect.Services) > 0 {
		return unsupported("The deployment strategy %s is not supported by Neargate for services that offer Service Connect endpoints.", svc.Rollout.Strategy.Kind)
	}
	return nil
}

// distinct refuses an endpoint whose name or alias is one of the others'.
func distinct(s model.ConnectService, others []model.ConnectService, namespace string) error {
	for _, o := range others {
		switch {
		case o.Discovery() == s.Discovery():
			return invalid("The discoveryName '%s' is already in use in the namespace '%s'.", s.Discovery(), namespace)
		case s.Port != 0 && o.Port == s.Port && o.Alias(namespace) == s.Alias(namespace):
			return invalid("The client alias '%s:%d' is already in use in the namespace '%s'.", s.Alias(namespace), s.Port, namespace)
		}
	}
	return nil
}
