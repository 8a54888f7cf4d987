package ec2

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
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

type describeVpcEndpointsInput struct {
	VpcEndpointIDs []string `query:"VpcEndpointId"`
	Filters        []filter `query:"Filter"`
	MaxResults     *int
	NextToken      string
	DryRun         bool
}

type describeVpcEndpointsOutput struct {
	VpcEndpoints []vpcEndpoint `xml:"vpcEndpointSet"`
	NextToken    string
}

// describeVpcEndpoints: codes InvalidVpcEndpointId.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeVpcEndpoints(_ context.Context, in *describeVpcEndpointsInput) (*describeVpcEndpointsOutput, error) {
	cut, next, err := list(s, s.n.Endpoints(), lister[vpc.Endpoint]{
		kind: vpc.KindEndpoint, id: func(e vpc.Endpoint) string { return e.ID }, attributes: func(e vpc.Endpoint) attributes {
			return attributes{
				"vpc-endpoint-id": {e.ID}, "vpc-id": {e.VPC}, "service-name": {e.Service}, "vpc-endpoint-type": {e.Type},
				"vpc-endpoint-state": {"available"}, "ip-address-type": {e.IPAddressType},
			}
		},
	}, query{in.VpcEndpointIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeVpcEndpointsOutput{NextToken: next}
	for _, e := range cut {
		out.VpcEndpoints = append(out.VpcEndpoints, s.showEndpoint(e))
	}
	return out, nil
}

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

// prefixListOf returns the ID of the prefix list of a gateway endpoint's service.
func (s *service) prefixListOf(service string) string {
	for _, l := range s.n.PrefixLists() {
		if l.Name == service {
			return l.ID
		}
	}
	return ""
}

type describePrefixListsInput struct {
	PrefixListIDs []string `query:"PrefixListId"`
	Filters       []filter `query:"Filter"`
	MaxResults    *int
	NextToken     string
	DryRun        bool
}

type describePrefixListsOutput struct {
	PrefixLists []prefixListOut `xml:"prefixListSet"`
	NextToken   string
}

type prefixListOut struct {
	PrefixListID, PrefixListName string

	Cidrs []string `xml:"cidrSet"`
}

// describePrefixLists: AWS's lists, whose networks are not here. Codes
// InvalidPrefixListID.NotFound, InvalidParameterValue, InvalidNextToken.
func (s *service) describePrefixLists(_ context.Context, in *describePrefixListsInput) (*describePrefixListsOutput, error) {
	cut, next, err := s.prefixLists(query{in.PrefixListIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describePrefixListsOutput{NextToken: next}
	for _, l := range cut {
		out.PrefixLists = append(out.PrefixLists, prefixListOut{PrefixListID: l.ID, PrefixListName: l.Name})
	}
	return out, nil
}

func (s *service) prefixLists(q query) ([]vpc.PrefixList, string, error) {
	return list(s, s.n.PrefixLists(), lister[vpc.PrefixList]{
		kind: vpc.KindPrefixList, id: func(l vpc.PrefixList) string { return l.ID }, attributes: func(l vpc.PrefixList) attributes {
			return attributes{"prefix-list-id": {l.ID}, "prefix-list-name": {l.Name}, "owner-id": {"AWS"}}
		},
	}, q)
}

type managedPrefixListsOutput struct {
	PrefixLists []managedPrefixList `xml:"prefixListSet"`
	NextToken   string
}

type managedPrefixList struct {
	PrefixListID, PrefixListName, PrefixListArn, OwnerID, AddressFamily, State string

	Tags []tag `xml:"tagSet"`
}

// describeManagedPrefixLists: codes InvalidPrefixListID.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeManagedPrefixLists(_ context.Context, in *describePrefixListsInput) (*managedPrefixListsOutput, error) {
	cut, next, err := s.prefixLists(query{in.PrefixListIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &managedPrefixListsOutput{NextToken: next}
	for _, l := range cut {
		out.PrefixLists = append(out.PrefixLists, managedPrefixList{
			PrefixListID: l.ID, PrefixListName: l.Name, OwnerID: "AWS", AddressFamily: "IPv4", State: "create-complete",
			PrefixListArn: "arn:aws:ec2:" + s.n.Place().Region + ":aws:prefix-list/" + l.ID,
		})
	}
	return out, nil
}

type getManagedPrefixListEntriesInput struct {
	PrefixListID string
	DryRun       bool
}

type getManagedPrefixListEntriesOutput struct {
	Entries []string `xml:"entrySet"`
}

// getManagedPrefixListEntries: there are none. Codes MissingParameter,
// InvalidPrefixListID.NotFound.
func (s *service) getManagedPrefixListEntries(_ context.Context, in *getManagedPrefixListEntriesInput) (*getManagedPrefixListEntriesOutput, error) {
	if err := required("prefixListId", in.PrefixListID); err != nil {
		return nil, err
	}
	return &getManagedPrefixListEntriesOutput{}, s.n.CheckPrefixList(in.PrefixListID)
}

type createDhcpOptionsInput struct {
	DhcpConfigurations []dhcpConfiguration `query:"DhcpConfiguration"`
	TagSpecifications  []tagSpecification  `query:"TagSpecification"`
	DryRun             bool
}

type dhcpConfiguration struct {
	Key    string
	Values []string `query:"Value"`
}

type createDhcpOptionsOutput struct {
	DhcpOptions dhcpOptions
}

type dhcpOptions struct {
	DhcpOptionsID, OwnerID string

	DhcpConfigurations []dhcpShown `xml:"dhcpConfigurationSet"`
	Tags               []tag       `xml:"tagSet"`
}

type dhcpShown struct {
	Key    string
	Values []attributeShown `xml:"valueSet"`
}

type attributeShown struct {
	Value string
}

// createDhcpOptions: codes MissingParameter, InvalidParameterValue,
// DhcpOptionsLimitExceeded.
func (s *service) createDhcpOptions(ctx context.Context, in *createDhcpOptionsInput) (*createDhcpOptionsOutput, error) {
	if len(in.DhcpConfigurations) == 0 {
		return nil, missing("dhcpConfigurations")
	}
	tags, err := specified(in.TagSpecifications, vpc.KindDHCPOptions)
	if err != nil {
		return nil, err
	}
	var values []vpc.DHCPValue
	for _, c := range in.DhcpConfigurations {
		if !slices.Contains([]string{"domain-name", "domain-name-servers", "ntp-servers", "netbios-name-servers", "netbios-node-type", "ipv6-address-preferred-lease-time"}, c.Key) {
			return nil, invalid("Value (%.80s) for parameter name is invalid. Unknown DHCP option", c.Key)
		}
		values = append(values, vpc.DHCPValue{Key: c.Key, Values: c.Values})
	}
	d, err := s.n.CreateDHCPOptions(ctx, values, tags)
	if err != nil {
		return nil, err
	}
	return &createDhcpOptionsOutput{s.showDHCP(d)}, nil
}

func (s *service) showDHCP(d vpc.DHCPOptions) dhcpOptions {
	out := dhcpOptions{DhcpOptionsID: d.ID, OwnerID: s.n.Place().Account, Tags: tagsOut(s.n.Tags(d.ID))}
	for _, v := range d.Values {
		shown := dhcpShown{Key: v.Key}
		for _, text := range v.Values {
			shown.Values = append(shown.Values, attributeShown{text})
		}
		out.DhcpConfigurations = append(out.DhcpConfigurations, shown)
	}
	return out
}

type dhcpOptionsInput struct {
	DhcpOptionsID string
	DryRun        bool
}

// deleteDhcpOptions: codes MissingParameter, InvalidDhcpOptionID.NotFound,
// DependencyViolation.
func (s *service) deleteDhcpOptions(ctx context.Context, in *dhcpOptionsInput) (*done, error) {
	if err := required("dhcpOptionsId", in.DhcpOptionsID); err != nil {
		return nil, err
	}
	return finish(s.n.DeleteDHCPOptions(ctx, in.DhcpOptionsID))
}

type associateDhcpOptionsInput struct {
	DhcpOptionsID, VpcID string

	DryRun bool
}

// associateDhcpOptions gives a VPC other options; "default" are those it had at
// first. Codes MissingParameter, InvalidVpcID.NotFound,
// InvalidDhcpOptionID.NotFound.
func (s *service) associateDhcpOptions(ctx context.Context, in *associateDhcpOptionsInput) (*done, error) {
	if err := required("dhcpOptionsId", in.DhcpOptionsID, "vpcId", in.VpcID); err != nil {
		return nil, err
	}
	id := in.DhcpOptionsID
	if id == "default" {
		id = s.n.DefaultDHCPOptions()
	}
	return finish(s.n.ChangeVPC(ctx, in.VpcID, func(v *vpc.VPC) error {
		v.DHCPOptions = id
		return nil
	}))
}

type describeDhcpOptionsInput struct {
	DhcpOptionsIDs []string `query:"DhcpOptionsId"`
	Filters        []filter `query:"Filter"`
	MaxResults     *int
	NextToken      string
	DryRun         bool
}

type describeDhcpOptionsOutput struct {
	DhcpOptions []dhcpOptions `xml:"dhcpOptionsSet"`
	NextToken   string
}

// describeDhcpOptions: codes InvalidDhcpOptionID.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeDhcpOptions(_ context.Context, in *describeDhcpOptionsInput) (*describeDhcpOptionsOutput, error) {
	cut, next, err := list(s, s.n.DHCPOptions(), lister[vpc.DHCPOptions]{
		kind: vpc.KindDHCPOptions, id: func(d vpc.DHCPOptions) string { return d.ID }, attributes: func(d vpc.DHCPOptions) attributes {
			a := attributes{"dhcp-options-id": {d.ID}, "owner-id": {s.n.Place().Account}, "key": nil, "value": nil}
			for _, v := range d.Values {
				a["key"], a["value"] = append(a["key"], v.Key), append(a["value"], v.Values...)
			}
			return a
		},
	}, query{in.DhcpOptionsIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeDhcpOptionsOutput{NextToken: next}
	for _, d := range cut {
		out.DhcpOptions = append(out.DhcpOptions, s.showDHCP(d))
	}
	return out, nil
}

type createFlowLogsInput struct {
	DryRun bool
}

// createFlowLogs is refused: UnsupportedOperation.
func createFlowLogs(context.Context, *createFlowLogsInput) (*done, error) {
	return nil, model.Errorf(model.Invalid, "UnsupportedOperation", "Flow logs are not supported by Neargate.")
}

type describeFlowLogsInput struct {
	FlowLogIDs []string `query:"FlowLogId"`
	DryRun     bool
}

type describeFlowLogsOutput struct {
	FlowLogs []string `xml:"flowLogSet"`
}

// describeFlowLogs: there are none. Codes InvalidFlowLogId.NotFound.
func describeFlowLogs(_ context.Context, in *describeFlowLogsInput) (*describeFlowLogsOutput, error) {
	for _, id := range in.FlowLogIDs {
		return nil, model.Errorf(model.NotFound, "InvalidFlowLogId.NotFound", "These flow log ids in the input list are not found: [TotalCount: "+strconv.Itoa(len(in.FlowLogIDs))+"] %.80s", id)
	}
	return &describeFlowLogsOutput{}, nil
}
