package ec2

import (
	"context"
	"strconv"
	"strings"

	"neargate/internal/aws/wire"
	"neargate/internal/vpc"
)

func (s *service) subnetOperations() []wire.Operation {
	return []wire.Operation{
		op("CreateSubnet", s.createSubnet),
		op("DeleteSubnet", s.deleteSubnet),
		op("DescribeSubnets", s.describeSubnets),
		op("ModifySubnetAttribute", s.modifySubnetAttribute),
	}
}

type createSubnetInput struct {
	VpcID, CidrBlock, AvailabilityZone, AvailabilityZoneID, Ipv6CidrBlock string

	TagSpecifications []tagSpecification `query:"TagSpecification"`
	Ipv6Native        bool
	OutpostArn        string
	Ipv4IpamPoolID    string
	Ipv6IpamPoolID    string
	DryRun            bool
}

type createSubnetOutput struct {
	Subnet subnetOut
}

// createSubnet: codes MissingParameter, InvalidVpcID.NotFound,
// InvalidParameterValue, InvalidSubnet.Range, InvalidSubnet.Conflict,
// SubnetLimitExceeded, TagLimitExceeded.
func (s *service) createSubnet(ctx context.Context, in *createSubnetInput) (*createSubnetOutput, error) {
	if err := required("vpcId", in.VpcID, "cidrBlock", in.CidrBlock); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, vpc.KindSubnet)
	if err != nil {
		return nil, err
	}
	made, err := s.n.CreateSubnet(ctx, vpc.NewSubnet{
		VPC: in.VpcID, CIDR: in.CidrBlock, IPv6CIDR: in.Ipv6CidrBlock, Zone: in.AvailabilityZone + in.AvailabilityZoneID, Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	return &createSubnetOutput{s.showSubnet(made)}, nil
}

type deleteSubnetInput struct {
	SubnetID string
	DryRun   bool
}

// deleteSubnet: codes MissingParameter, InvalidSubnetID.NotFound,
// DependencyViolation, OperationNotPermitted.
func (s *service) deleteSubnet(ctx context.Context, in *deleteSubnetInput) (*done, error) {
	if err := required("subnetId", in.SubnetID); err != nil {
		return nil, err
	}
	return finish(s.n.DeleteSubnet(ctx, in.SubnetID))
}

type modifySubnetAttributeInput struct {
	SubnetID string

	MapPublicIPOnLaunch                     *boolValue
	AssignIpv6AddressOnCreation             *boolValue
	EnableDNS64                             *boolValue `query:"EnableDns64"`
	EnableResourceNameDNSARecordOnLaunch    *boolValue `query:"EnableResourceNameDnsARecordOnLaunch"`
	EnableResourceNameDNSAAAARecordOnLaunch *boolValue `query:"EnableResourceNameDnsAAAARecordOnLaunch"`
	MapCustomerOwnedIPOnLaunch              *boolValue
	PrivateDNSHostnameTypeOnLaunch          string
	CustomerOwnedIpv4Pool                   string
	DryRun                                  bool
}

// modifySubnetAttribute keeps the attributes; tasks get no addresses by them.
// Codes MissingParameter, InvalidSubnetID.NotFound, InvalidParameterValue.
func (s *service) modifySubnetAttribute(ctx context.Context, in *modifySubnetAttributeInput) (*done, error) {
	if err := required("subnetId", in.SubnetID); err != nil {
		return nil, err
	}
	return finish(s.n.ChangeSubnet(ctx, in.SubnetID, func(sub *vpc.Subnet) error {
		set(&sub.PublicIPs, in.MapPublicIPOnLaunch)
		set(&sub.IPv6Addresses, in.AssignIpv6AddressOnCreation)
		set(&sub.DNS64, in.EnableDNS64)
		set(&sub.ResourceA, in.EnableResourceNameDNSARecordOnLaunch)
		set(&sub.ResourceAAAA, in.EnableResourceNameDNSAAAARecordOnLaunch)
		switch kind := in.PrivateDNSHostnameTypeOnLaunch; kind {
		case "":
		case "ip-name", "resource-name":
			sub.HostnameType = kind
		default:
			return invalid("Value (%.80s) for parameter privateDnsHostnameTypeOnLaunch is invalid.", kind)
		}
		return nil
	}))
}

type describeSubnetsInput struct {
	SubnetIDs  []string `query:"SubnetId"`
	Filters    []filter `query:"Filter"`
	MaxResults *int
	NextToken  string
	DryRun     bool
}

type describeSubnetsOutput struct {
	Subnets   []subnetOut `xml:"subnetSet"`
	NextToken string
}

type subnetOut struct {
	SubnetID, SubnetArn, State, OwnerID, VpcID, CidrBlock, AvailabilityZone, AvailabilityZoneID string

	AvailableIPAddressCount       int
	DefaultForAz                  bool
	MapPublicIPOnLaunch           bool
	MapCustomerOwnedIPOnLaunch    bool
	AssignIpv6AddressOnCreation   bool
	EnableDNS64                   bool
	Ipv6Native                    bool
	PrivateDNSNameOptionsOnLaunch dnsNameOptions
	Ipv6CidrBlockAssociationSet   []ipv6Association
	Tags                          []tag `xml:"tagSet"`
}

type dnsNameOptions struct {
	HostnameType                    string
	EnableResourceNameDNSARecord    bool `xml:"enableResourceNameDnsARecord"`
	EnableResourceNameDNSAAAARecord bool `xml:"enableResourceNameDnsAAAARecord"`
}

// describeSubnets: codes InvalidSubnetID.NotFound, InvalidParameterValue,
// InvalidNextToken.
func (s *service) describeSubnets(_ context.Context, in *describeSubnetsInput) (*describeSubnetsOutput, error) {
	cut, next, err := list(s, s.n.Subnets(), lister[vpc.Subnet]{
		kind: vpc.KindSubnet, id: func(sub vpc.Subnet) string { return sub.ID }, attributes: s.subnetAttributes,
		order: func(sub vpc.Subnet) string { return strconv.FormatBool(!sub.Default) + sub.Zone + sub.ID },
	}, query{in.SubnetIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeSubnetsOutput{NextToken: next}
	for _, sub := range cut {
		out.Subnets = append(out.Subnets, s.showSubnet(sub))
	}
	return out, nil
}

func (s *service) showSubnet(sub vpc.Subnet) subnetOut {
	return subnetOut{
		SubnetID: sub.ID, SubnetArn: s.n.ARN(vpc.KindSubnet, sub.ID), State: "available", OwnerID: s.n.Place().Account, VpcID: sub.VPC,
		CidrBlock: sub.CIDR, AvailabilityZone: sub.Zone, AvailabilityZoneID: sub.ZoneID,
		AvailableIPAddressCount: s.free(sub), DefaultForAz: sub.Default, MapPublicIPOnLaunch: sub.PublicIPs,
		AssignIpv6AddressOnCreation: sub.IPv6Addresses, EnableDNS64: sub.DNS64,
		PrivateDNSNameOptionsOnLaunch: dnsNameOptions{sub.HostnameType, sub.ResourceA, sub.ResourceAAAA},
		Ipv6CidrBlockAssociationSet:   s.ipv6(sub.IPv6CIDRs), Tags: tagsOut(s.n.Tags(sub.ID)),
	}
}

// free is how many addresses of a subnet are not taken.
func (s *service) free(sub vpc.Subnet) int {
	n := sub.Hosts()
	for _, i := range s.n.Interfaces() {
		if i.Subnet == sub.ID {
			n--
		}
	}
	return max(n, 0)
}

func (s *service) subnetAttributes(sub vpc.Subnet) attributes {
	isDefault := strconv.FormatBool(sub.Default)
	a := attributes{
		"subnet-id": {sub.ID}, "subnet-arn": {s.n.ARN(vpc.KindSubnet, sub.ID)}, "vpc-id": {sub.VPC}, "owner-id": {s.n.Place().Account},
		"state": {"available"}, "cidr": {sub.CIDR}, "cidr-block": {sub.CIDR}, "cidrBlock": {sub.CIDR},
		"availability-zone": {sub.Zone}, "availabilityZone": {sub.Zone}, "availability-zone-id": {sub.ZoneID},
		"available-ip-address-count": {strconv.Itoa(s.free(sub))},
		"default-for-az":             {isDefault}, "defaultForAz": {isDefault}, "map-public-ip-on-launch": {strconv.FormatBool(sub.PublicIPs)},
		"ipv6-native": {"false"}, "ipv6-cidr-block-association.ipv6-cidr-block": nil,
	}
	for _, b := range sub.IPv6CIDRs {
		a["ipv6-cidr-block-association.ipv6-cidr-block"] = append(a["ipv6-cidr-block-association.ipv6-cidr-block"], b.CIDR)
	}
	return a
}

func isIPv6(cidr string) bool { return strings.Contains(cidr, ":") }
