package ecs

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	catalogue "neargate/internal/ecs"
	"neargate/internal/model"
)

// readDefaults returns a cluster's default namespace; nil where nothing is said.
func readDefaults(in *types.ClusterServiceConnectDefaultsRequest) *string {
	if in == nil {
		return nil
	}
	return aws.String(aws.ToString(in.Namespace))
}

// readConnect returns nil where nothing is said.
func (s *service) readConnect(in *types.ServiceConnectConfiguration) (*catalogue.ConnectSettings, error) {
	if in == nil {
		return nil, nil
	}
	given, err := s.records.Encode(in)
	if err != nil {
		return nil, fmt.Errorf("keep the Service Connect configuration: %w", err)
	}
	out := &catalogue.ConnectSettings{Enabled: in.Enabled, Namespace: aws.ToString(in.Namespace), Given: given}
	for _, one := range in.Services {
		made := model.ConnectService{
			PortName: aws.ToString(one.PortName), DiscoveryName: aws.ToString(one.DiscoveryName), IngressPort: int(aws.ToInt32(one.IngressPortOverride)),
		}
		switch len(one.ClientAliases) {
		case 0:
		case 1:
			alias := one.ClientAliases[0]
			if made.Port = int(aws.ToInt32(alias.Port)); made.Port == 0 {
				return nil, invalid("port is required in a client alias.")
			}
			made.DNSName = aws.ToString(alias.DnsName)
		default:
			return nil, invalid("A Service Connect service can have at most 1 client alias.")
		}
		if t := one.Timeout; t != nil {
			made.IdleTimeout, made.RequestTimeout = seconds(t.IdleTimeoutSeconds), seconds(t.PerRequestTimeoutSeconds)
		}
		out.Services = append(out.Services, made)
	}
	return out, nil
}

// connectOf returns a configuration as it was given, and what it stands for in
// Cloud Map.
func (s *service) connectOf(c *model.ServiceConnect) (*types.ServiceConnectConfiguration, []types.ServiceConnectServiceResource) {
	if c == nil {
		return nil, nil
	}
	out := &types.ServiceConnectConfiguration{}
	_ = s.records.Decode(c.Given, out) // written by readConnect
	out.Namespace = aws.String(c.NamespaceARN)
	var resources []types.ServiceConnectServiceResource
	for _, one := range c.Services {
		resources = append(resources, types.ServiceConnectServiceResource{
			DiscoveryName: aws.String(one.Discovery()), DiscoveryArn: aws.String(one.DiscoveryARN),
		})
	}
	return out, resources
}
