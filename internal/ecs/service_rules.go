package ecs

import (
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
)

// maxDesired is ECS's limit of tasks in one service.
const maxDesired = 5000

// maxGroups is ECS's limit of target groups of one service.
const maxGroups = 5

func errNoNetwork() error {
	return invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
}

// checkNetwork refuses a network that tasks cannot be in.
// InvalidParameterException.
func checkNetwork(n model.Network) error {
	switch {
	case len(n.Subnets) == 0:
		return invalid("subnets can not be empty.")
	case len(n.Subnets) > 16:
		return invalid("subnets can have at most 16 items.")
	case len(n.SecurityGroups) > 5:
		return invalid("securityGroups can have at most 5 items.")
	}
	return nil
}

// findNetwork refuses subnets and security groups that there are none of, and
// groups of another VPC than the subnets. InvalidParameterException.
func (c *Catalogue) findNetwork(n *model.Network) error {
	if n == nil || c.cfg.Networks == nil {
		return nil
	}
	var vpcs []string
	for _, id := range n.Subnets {
		vpc, _, ok := c.cfg.Networks.Subnet(id)
		if !ok {
			return invalid("Error retrieving subnet information for [%s]: The subnet ID '%s' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
				strings.Join(n.Subnets, ", "), id)
		}
		vpcs = append(vpcs, vpc)
	}
	for _, id := range n.SecurityGroups {
		vpc, ok := c.cfg.Networks.GroupVPC(id)
		if !ok {
			return invalid("Error retrieving security group information for [%s]: The security group '%s' does not exist (ErrorCode: InvalidGroup.NotFound)",
				strings.Join(n.SecurityGroups, ", "), id)
		}
		if slices.ContainsFunc(vpcs, func(other string) bool { return other != vpc }) {
			return invalid("Security group %s does not appear to belong to the same VPC as the input subnets.", id)
		}
	}
	return nil
}

// checkVersion refuses a platform version that Fargate does not have.
// PlatformUnknownException.
func checkVersion(version string) error {
	switch version {
	case "", "LATEST", "1.4.0":
		return nil
	}
	return errPlatformUnknown()
}

// checkGroups refuses load balancers whose target groups cannot take tasks. It
// asks the balancer, so it is not for use within a transaction.
func (c *Catalogue) checkGroups(s ServiceSettings) error {
	if len(s.LoadBalancers) > maxGroups {
		return invalid("load balancers can have at most %d items.", maxGroups)
	}
	for _, lb := range s.LoadBalancers {
		switch {
		case lb.TargetGroupARN == "":
			return invalid("targetGroupArn can not be blank.")
		case lb.ContainerName == "":
			return invalid("Container name can not be blank.")
		case lb.ContainerPort == 0:
			return invalid("Container port can not be blank.")
		}
		tg, ok := c.groups.TargetGroup(lb.TargetGroupARN)
		switch {
		case !ok:
			return invalid("The target group with targetGroupArn %s does not exist.", lb.TargetGroupARN)
		case tg.TargetType != "ip":
			return invalid("The provided target group %s has target type %s, which is incompatible with the awsvpc network mode specified in the task definition.", lb.TargetGroupARN, tg.TargetType)
		case lb.AlternateARN == "" && len(c.groups.TargetGroupLoadBalancers(lb.TargetGroupARN)) == 0:
			return invalid("The target group with targetGroupArn %s does not have an associated load balancer.", lb.TargetGroupARN)
		}
		if err := c.checkAlternates(lb); err != nil {
			return err
		}
	}
	return nil
}

// checkAlternates refuses a load balancer between whose target groups no traffic
// could be shifted.
func (c *Catalogue) checkAlternates(lb model.ServiceLoadBalancer) error {
	if lb.AlternateARN == "" {
		return nil
	}
	tg, ok := c.groups.TargetGroup(lb.AlternateARN)
	switch {
	case !ok:
		return invalid("The target group with targetGroupArn %s does not exist.", lb.AlternateARN)
	case tg.TargetType != "ip":
		return invalid("The provided target group %s has target type %s, which is incompatible with the awsvpc network mode specified in the task definition.", lb.AlternateARN, tg.TargetType)
	}
	production, err := c.groups.Forwards(lb.ProductionRule)
	if err != nil || lb.TestRule != "" {
		return nil //nolint:nilerr // the deployment reports a rule that is not there
	}
	for _, arn := range []string{lb.TargetGroupARN, lb.AlternateARN} {
		if !slices.ContainsFunc(production, func(g model.WeightedTargetGroup) bool { return g.TargetGroupARN == arn }) {
			return invalid("For Application LoadBalancer, testListenerRule is required when productionListenerRule is not associated with both targetGroup and alternateTargetGroup")
		}
	}
	return nil
}

func checkPort(lb model.ServiceLoadBalancer, def model.TaskDefinition) error {
	for _, c := range def.Containers {
		if c.Name != lb.ContainerName {
			continue
		}
		if !slices.ContainsFunc(c.PortMappings, func(p model.PortMapping) bool { return p.ContainerPort == lb.ContainerPort }) {
			return invalid("The container %s did not have a container port %d defined.", c.Name, lb.ContainerPort)
		}
		return nil
	}
	return invalid("The container %s does not exist in the task definition.", lb.ContainerName)
}

// checkMonitoring refuses resolutions that AWS does not have.
// [API_MonitoringConfiguration].
func checkMonitoring(all []model.MetricResolution) error {
	seen := map[string]bool{}
	for _, m := range all {
		switch {
		case len(m.Metrics) == 0:
			return invalid("metricNames can not be empty in a metric configuration.")
		case m.Resolution != 20*time.Second && m.Resolution != time.Minute:
			return invalid("Invalid resolutionSeconds %d in a metric configuration. Valid values are 20 and 60.", m.Resolution/time.Second)
		}
		for _, name := range m.Metrics {
			switch {
			case name != "CPUUtilization" && name != "MemoryUtilization":
				return invalid("Invalid metric name %s in a metric configuration. Valid values are CPUUtilization and MemoryUtilization.", name)
			case seen[name]:
				return invalid("The metric %s is in more than one metric configuration.", name)
			}
			seen[name] = true
		}
	}
	return nil
}
