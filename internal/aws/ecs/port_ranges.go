package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	catalogue "neargate/internal/ecs"
)

// checkPortRanges refuses ranges of ports that are none. Nothing else is to be
// done: a task's own address has all of them. ClientException.
func checkPortRanges(c types.ContainerDefinition) error {
	for _, p := range c.PortMappings {
		if p.ContainerPortRange == nil {
			continue
		}
		single := p.ContainerPort != nil || p.HostPort != nil
		if err := catalogue.CheckPortRange(aws.ToString(c.Name), *p.ContainerPortRange, single); err != nil {
			return err
		}
	}
	return nil
}
