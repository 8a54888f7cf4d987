package ec2

import (
	"context"
	"slices"
	"strings"

	"neargate/internal/model"
	"neargate/internal/vpc"
)

type describeVpcEndpointServicesInput struct {
	ServiceNames []string `query:"ServiceName"`
	Filters      []filter `query:"Filter"`
	MaxResults   *int
	NextToken    string
	DryRun       bool
}

type describeVpcEndpointServicesOutput struct {
	ServiceNames   []string         `xml:"serviceNameSet"`
	ServiceDetails []serviceDetails `xml:"serviceDetailSet"`
	NextToken      string
}

type serviceDetails struct {
	ServiceName, ServiceID, Owner string

	ServiceType                []serviceType
	AvailabilityZones          []string `xml:"availabilityZoneSet"`
	AcceptanceRequired         bool
	ManagesVpcEndpoints        bool
	VpcEndpointPolicySupported bool
	Tags                       []tag `xml:"tagSet"`
}

type serviceType struct {
	ServiceType string
}

// endpointServices are those that a stack of ECS names, by kind of endpoint.
func endpointServices() map[string][]string {
	return map[string][]string{
		"Gateway": {"dynamodb", "s3"},
		"Interface": {
			"ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "elasticfilesystem", "elasticloadbalancing",
			"kms", "logs", "monitoring", "s3", "secretsmanager", "servicediscovery", "sns", "sqs", "ssm", "ssmmessages", "sts",
		},
	}
}

// describeVpcEndpointServices: codes InvalidServiceName, InvalidParameterValue,
// InvalidNextToken.
func (s *service) describeVpcEndpointServices(_ context.Context, in *describeVpcEndpointServicesInput) (*describeVpcEndpointServicesOutput, error) {
	var all []serviceDetails
	var zones []string
	for _, z := range s.n.Zones() {
		zones = append(zones, z.Name)
	}
	for kind, names := range endpointServices() {
		for _, name := range names {
			all = append(all, serviceDetails{
				ServiceName: "com.amazonaws." + s.n.Place().Region + "." + name, ServiceID: "vpce-svc-" + kind + "-" + name, Owner: "amazon",
				ServiceType: []serviceType{{kind}}, AvailabilityZones: zones, VpcEndpointPolicySupported: true,
			})
		}
	}
	id := func(d serviceDetails) string { return d.ServiceID }
	slices.SortFunc(all, func(a, b serviceDetails) int { return strings.Compare(id(a), id(b)) })
	for _, name := range in.ServiceNames {
		if !slices.ContainsFunc(all, func(d serviceDetails) bool { return d.ServiceName == name }) {
			return nil, model.Errorf(model.Invalid, "InvalidServiceName", "The Vpc Endpoint Service '%.120s' does not exist", name)
		}
	}
	cut, next, err := list(s, all, lister[serviceDetails]{kind: vpc.KindEndpoint, id: id, attributes: func(d serviceDetails) attributes {
		a := attributes{"service-name": {d.ServiceName}, "service-type": nil, "owner": {d.Owner}}
		for _, t := range d.ServiceType {
			a["service-type"] = append(a["service-type"], t.ServiceType)
		}
		return a
	}}, query{filters: in.Filters, token: in.NextToken, maxResults: in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeVpcEndpointServicesOutput{NextToken: next}
	for _, d := range cut {
		if asked(in.ServiceNames, d.ServiceName) {
			out.ServiceDetails = append(out.ServiceDetails, d)
			if !slices.Contains(out.ServiceNames, d.ServiceName) {
				out.ServiceNames = append(out.ServiceNames, d.ServiceName)
			}
		}
	}
	return out, nil
}
