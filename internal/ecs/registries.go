package ecs

import (
	"slices"

	"neargate/internal/model"
)

// registries is where services are known to each other by name.
type registries interface {
	// Service returns a service of Cloud Map by its ARN.
	Service(arn string) (model.DiscoveryService, error)
}

// checkRegistries refuses service registries that cannot be. It asks Cloud Map,
// so it is not for use within a transaction. API_ServiceRegistry.
func (c *Catalogue) checkRegistries(s ServiceSettings) error {
	if len(s.Registries) > 1 {
		return invalid("service registries can have at most 1 items.")
	}
	for _, r := range s.Registries {
		named := r.ContainerName != "" || r.ContainerPort != 0
		switch {
		case r.RegistryARN == "":
			return invalid("registryArn can not be blank.")
		case c.cfg.Registries == nil:
			return unsupported("serviceRegistries are not supported here.")
		case named && r.Port != 0:
			return invalid("A service registry cannot have both a port and a combination of containerName and containerPort.")
		case r.Port < 0 || r.Port > 65535 || r.ContainerPort < 0 || r.ContainerPort > 65535:
			return invalid("The port of a service registry must be between 1 and 65535.")
		}
		registry, err := c.cfg.Registries.Service(r.RegistryARN)
		if err != nil || registry.ARN != r.RegistryARN {
			return invalid("The service registry %s does not exist.", r.RegistryARN)
		}
		srv := slices.ContainsFunc(registry.Records, func(r model.DiscoveryRecord) bool { return r.Type == "SRV" })
		if srv && r.Port == 0 && (r.ContainerName == "" || r.ContainerPort == 0) {
			return invalid("When specifying 'awsvpc' for networkMode and a service registry with a record of type SRV, either port, or containerName and containerPort must be specified.")
		}
	}
	return nil
}

// checkRegistryPort is for a registry that names a container of the definition.
func checkRegistryPort(r model.ServiceRegistry, def model.TaskDefinition) error {
	switch {
	case r.ContainerName == "":
		return nil
	case r.ContainerPort != 0:
		return checkPort(model.ServiceLoadBalancer{ContainerName: r.ContainerName, ContainerPort: r.ContainerPort}, def)
	case !slices.ContainsFunc(def.Containers, func(c model.ContainerDefinition) bool { return c.Name == r.ContainerName }):
		return invalid("The container %s does not exist in the task definition.", r.ContainerName)
	}
	return nil
}
