package ecs

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

func readNetwork(in *types.NetworkConfiguration) *model.Network {
	if in == nil || in.AwsvpcConfiguration == nil {
		return nil
	}
	c := in.AwsvpcConfiguration
	n := model.Network{Subnets: c.Subnets, SecurityGroups: c.SecurityGroups, AssignPublicIP: string(c.AssignPublicIp)}
	if n.AssignPublicIP == "" {
		n.AssignPublicIP = string(types.AssignPublicIpDisabled)
	}
	return &n
}

func networkOf(n model.Network) *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
		Subnets: append([]string{}, n.Subnets...), SecurityGroups: append([]string{}, n.SecurityGroups...), AssignPublicIp: types.AssignPublicIp(n.AssignPublicIP),
	}}
}

// readLoadBalancers returns nil for none, but for an empty list an empty list.
func readLoadBalancers(in []types.LoadBalancer) []model.ServiceLoadBalancer {
	if in == nil {
		return nil
	}
	all := make([]model.ServiceLoadBalancer, len(in))
	for i, lb := range in {
		all[i] = model.ServiceLoadBalancer{
			TargetGroupARN: aws.ToString(lb.TargetGroupArn), ContainerName: aws.ToString(lb.ContainerName), ContainerPort: int(aws.ToInt32(lb.ContainerPort)),
		}
		if c := lb.AdvancedConfiguration; c != nil {
			all[i].AlternateARN, all[i].RoleARN = aws.ToString(c.AlternateTargetGroupArn), aws.ToString(c.RoleArn)
			all[i].ProductionRule, all[i].TestRule = aws.ToString(c.ProductionListenerRule), aws.ToString(c.TestListenerRule)
		}
	}
	return all
}

// readRegistries returns nil for none, but for an empty list an empty list.
func readRegistries(in []types.ServiceRegistry) []model.ServiceRegistry {
	if in == nil {
		return nil
	}
	all := make([]model.ServiceRegistry, len(in))
	for i, r := range in {
		all[i] = model.ServiceRegistry{
			RegistryARN: aws.ToString(r.RegistryArn), Port: int(aws.ToInt32(r.Port)),
			ContainerName: aws.ToString(r.ContainerName), ContainerPort: int(aws.ToInt32(r.ContainerPort)),
		}
	}
	return all
}

func registriesOf(in []model.ServiceRegistry) []types.ServiceRegistry {
	all := make([]types.ServiceRegistry, len(in))
	for i, r := range in {
		all[i] = types.ServiceRegistry{RegistryArn: aws.String(r.RegistryARN), ContainerName: text(r.ContainerName)}
		if r.Port > 0 {
			all[i].Port = aws.Int32(int32(r.Port))
		}
		if r.ContainerPort > 0 {
			all[i].ContainerPort = aws.Int32(int32(r.ContainerPort))
		}
	}
	return all
}

func loadBalancersOf(in []model.ServiceLoadBalancer) []types.LoadBalancer {
	all := make([]types.LoadBalancer, len(in))
	for i, lb := range in {
		all[i] = types.LoadBalancer{
			TargetGroupArn: aws.String(lb.TargetGroupARN), ContainerName: aws.String(lb.ContainerName), ContainerPort: aws.Int32(int32(lb.ContainerPort)),
		}
		if lb.AlternateARN != "" {
			all[i].AdvancedConfiguration = &types.AdvancedConfiguration{
				AlternateTargetGroupArn: aws.String(lb.AlternateARN), ProductionListenerRule: aws.String(lb.ProductionRule),
				TestListenerRule: text(lb.TestRule), RoleArn: text(lb.RoleARN),
			}
		}
	}
	return all
}

// readMonitoring reads how finely a service's metrics are published. They are
// kept by the second in any case; the setting is what high-resolution scaling
// policies ask for. [API_MonitoringConfiguration].
func readMonitoring(in *types.MonitoringConfiguration) []model.MetricResolution {
	if in == nil {
		return nil
	}
	all := make([]model.MetricResolution, len(in.MetricConfigurations))
	for i, c := range in.MetricConfigurations {
		all[i] = model.MetricResolution{Metrics: c.MetricNames, Resolution: time.Duration(aws.ToInt32(c.ResolutionSeconds)) * time.Second}
	}
	return all
}

// monitoringOf returns nil when nothing is set.
func monitoringOf(all []model.MetricResolution) *types.MonitoringConfiguration {
	if len(all) == 0 {
		return nil
	}
	out := &types.MonitoringConfiguration{}
	for _, m := range all {
		out.MetricConfigurations = append(out.MetricConfigurations, types.MetricConfiguration{
			MetricNames: m.Metrics, ResolutionSeconds: aws.Int32(int32(m.Resolution / time.Second)),
		})
	}
	return out
}

// readStrategy returns nil for none, but for an empty list an empty list.
func readStrategy(in []types.CapacityProviderStrategyItem) []model.CapacityProviderShare {
	if in == nil {
		return nil
	}
	shares := make([]model.CapacityProviderShare, len(in))
	for i, item := range in {
		shares[i] = model.CapacityProviderShare{Provider: aws.ToString(item.CapacityProvider), Base: int(item.Base), Weight: int(item.Weight)}
	}
	return shares
}

func strategyOf(shares []model.CapacityProviderShare) []types.CapacityProviderStrategyItem {
	all := make([]types.CapacityProviderStrategyItem, len(shares))
	for i, share := range shares {
		all[i] = types.CapacityProviderStrategyItem{CapacityProvider: aws.String(share.Provider), Base: int32(share.Base), Weight: int32(share.Weight)}
	}
	return all
}
