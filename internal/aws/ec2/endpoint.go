package ec2

import (
	"context"
	"errors"
	"slices"
	"time"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/vpc"
)

// keptOperations are those of what is kept without effect.
func (s *service) keptOperations() []wire.Operation {
	return []wire.Operation{
		op("AssociateDhcpOptions", s.associateDhcpOptions),
		op("CreateDhcpOptions", s.createDhcpOptions),
		op("CreateFlowLogs", createFlowLogs),
		op("CreateVpcEndpoint", s.createVpcEndpoint),
		op("DeleteDhcpOptions", s.deleteDhcpOptions),
		op("DeleteVpcEndpoints", s.deleteVpcEndpoints),
		op("DescribeDhcpOptions", s.describeDhcpOptions),
		op("DescribeFlowLogs", describeFlowLogs),
		op("DescribeManagedPrefixLists", s.describeManagedPrefixLists),
		op("DescribePrefixLists", s.describePrefixLists),
		op("DescribeVpcEndpointServices", s.describeVpcEndpointServices),
		op("DescribeVpcEndpoints", s.describeVpcEndpoints),
		op("GetManagedPrefixListEntries", s.getManagedPrefixListEntries),
		op("ModifyVpcEndpoint", s.modifyVpcEndpoint),
	}
}

type createVpcEndpointInput struct {
	VpcID, ServiceName, VpcEndpointType, PolicyDocument, IPAddressType, ClientToken string

	RouteTableIDs     []string `query:"RouteTableId"`
	SubnetIDs         []string `query:"SubnetId"`
	SecurityGroupIDs  []string `query:"SecurityGroupId"`
	PrivateDNSEnabled *bool
	TagSpecifications []tagSpecification `query:"TagSpecification"`
	DryRun            bool
}

type createVpcEndpointOutput struct {
	VpcEndpoint vpcEndpoint
	ClientToken string
}

type vpcEndpoint struct {
	VpcEndpointID, VpcID, ServiceName, VpcEndpointType, State, PolicyDocument, IPAddressType, OwnerID string

	CreationTimestamp   time.Time
	PrivateDNSEnabled   bool
	RequesterManaged    bool
	RouteTableIDs       []string    `xml:"routeTableIdSet"`
	SubnetIDs           []string    `xml:"subnetIdSet"`
	Groups              []groupName `xml:"groupSet"`
	NetworkInterfaceIDs []string    `xml:"networkInterfaceIdSet"`
	DNSEntries          []string    `xml:"dnsEntrySet"`
	Tags                []tag       `xml:"tagSet"`
}

// createVpcEndpoint: codes MissingParameter, InvalidVpcID.NotFound,
// InvalidServiceName, InvalidParameter, the NotFound codes of what it names.
func (s *service) createVpcEndpoint(ctx context.Context, in *createVpcEndpointInput) (*createVpcEndpointOutput, error) {
	if err := required("vpcId", in.VpcID, "serviceName", in.ServiceName); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, vpc.KindEndpoint)
	if err != nil {
		return nil, err
	}
	e := vpc.Endpoint{
		VPC: in.VpcID, Service: in.ServiceName, Type: in.VpcEndpointType, Policy: in.PolicyDocument, IPAddressType: in.IPAddressType,
		RouteTables: in.RouteTableIDs, Subnets: in.SubnetIDs, Groups: in.SecurityGroupIDs,
	}
	switch e.Type {
	case "":
		e.Type = "Gateway"
	case "Gateway", "Interface", "GatewayLoadBalancer":
	default:
		return nil, invalid("Value (%.80s) for parameter vpcEndpointType is invalid.", e.Type)
	}
	if e.Type == "Interface" {
		e.PrivateDNS = in.PrivateDNSEnabled == nil || *in.PrivateDNSEnabled
	}
	if e.IPAddressType == "" {
		e.IPAddressType = "ipv4"
	}
	if e.Policy == "" {
		e.Policy = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`
	}
	if e, err = s.n.CreateEndpoint(ctx, e, tags); err != nil {
		return nil, err
	}
	return &createVpcEndpointOutput{s.showEndpoint(e), in.ClientToken}, nil
}

func (s *service) showEndpoint(e vpc.Endpoint) vpcEndpoint {
	out := vpcEndpoint{
		VpcEndpointID: e.ID, VpcID: e.VPC, ServiceName: e.Service, VpcEndpointType: e.Type, State: "available", PolicyDocument: e.Policy,
		IPAddressType: e.IPAddressType, OwnerID: s.n.Place().Account, CreationTimestamp: e.CreatedAt, PrivateDNSEnabled: e.PrivateDNS,
		RouteTableIDs: e.RouteTables, SubnetIDs: e.Subnets, Tags: tagsOut(s.n.Tags(e.ID)),
	}
	for _, id := range e.Groups {
		g, _ := s.n.Group(id) // it cannot be deleted before the endpoint
		out.Groups = append(out.Groups, groupName{id, g.Name})
	}
	return out
}

type modifyVpcEndpointInput struct {
	VpcEndpointID, PolicyDocument, IPAddressType string

	ResetPolicy            bool
	AddRouteTableIDs       []string `query:"AddRouteTableId"`
	RemoveRouteTableIDs    []string `query:"RemoveRouteTableId"`
	AddSubnetIDs           []string `query:"AddSubnetId"`
	RemoveSubnetIDs        []string `query:"RemoveSubnetId"`
	AddSecurityGroupIDs    []string `query:"AddSecurityGroupId"`
	RemoveSecurityGroupIDs []string `query:"RemoveSecurityGroupId"`
	PrivateDNSEnabled      *bool
	DryRun                 bool
}

// modifyVpcEndpoint: codes MissingParameter, InvalidVpcEndpointId.NotFound, the
// NotFound codes of what it names.
func (s *service) modifyVpcEndpoint(ctx context.Context, in *modifyVpcEndpointInput) (*done, error) {
	if err := required("vpcEndpointId", in.VpcEndpointID); err != nil {
		return nil, err
	}
	change := func(have, add, remove []string) []string {
		out := slices.DeleteFunc(slices.Clone(have), func(id string) bool { return slices.Contains(remove, id) || slices.Contains(add, id) })
		return append(out, add...)
	}
	return finish(s.n.ChangeEndpoint(ctx, in.VpcEndpointID, func(e *vpc.Endpoint) {
		e.RouteTables = change(e.RouteTables, in.AddRouteTableIDs, in.RemoveRouteTableIDs)
		e.Subnets = change(e.Subnets, in.AddSubnetIDs, in.RemoveSubnetIDs)
		e.Groups = change(e.Groups, in.AddSecurityGroupIDs, in.RemoveSecurityGroupIDs)
		if in.PolicyDocument != "" {
			e.Policy = in.PolicyDocument
		}
		if in.ResetPolicy {
			e.Policy = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`
		}
		if in.IPAddressType != "" {
			e.IPAddressType = in.IPAddressType
		}
		if in.PrivateDNSEnabled != nil {
			e.PrivateDNS = *in.PrivateDNSEnabled
		}
	}))
}

type deleteVpcEndpointsInput struct {
	VpcEndpointIDs []string `query:"VpcEndpointId"`
	DryRun         bool
}

type deleteVpcEndpointsOutput struct {
	Unsuccessful []unsuccessful
}

type unsuccessful struct {
	ResourceID string
	Error      unsuccessfulError
}

type unsuccessfulError struct {
	Code, Message string
}

// deleteVpcEndpoints deletes what it can; what it cannot is in the answer. Codes
// MissingParameter.
func (s *service) deleteVpcEndpoints(ctx context.Context, in *deleteVpcEndpointsInput) (*deleteVpcEndpointsOutput, error) {
	if len(in.VpcEndpointIDs) == 0 {
		return nil, missing("VpcEndpointId")
	}
	out := &deleteVpcEndpointsOutput{}
	for _, id := range in.VpcEndpointIDs {
		var e *model.Error
		err := s.n.DeleteEndpoint(ctx, id)
		if errors.As(err, &e) && e.Kind == model.NotFound {
			out.Unsuccessful = append(out.Unsuccessful, unsuccessful{id, unsuccessfulError{e.Code, e.Msg}})
		} else if err != nil {
			return nil, err
		}
	}
	return out, nil
}
