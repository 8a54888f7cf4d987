package ec2

import (
	"context"
	"strconv"
)

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

	AvailableIPAddressCount     int
	DefaultForAz                bool
	MapPublicIPOnLaunch         bool
	MapCustomerOwnedIPOnLaunch  bool
	AssignIpv6AddressOnCreation bool
	EnableDNS64                 bool
	Ipv6Native                  bool
	Ipv6CidrBlockAssociationSet []cidrAssociation
	Tags                        []tag `xml:"tagSet"`
}

// describeSubnets: one a zone. Errors: InvalidSubnetID.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *EC2) describeSubnets(_ context.Context, in *describeSubnetsInput) (*describeSubnetsOutput, error) {
	if err := checkIDs(in.SubnetIDs, s.SubnetIDs(), "InvalidSubnetID.NotFound", "The subnet ID '%.80s' does not exist"); err != nil {
		return nil, err
	}
	var found []subnet
	for _, sub := range s.net.subnets {
		ok, err := matches(in.Filters, s.subnetAttributes(sub), s.tagsOf(sub.id))
		if err != nil {
			return nil, err
		}
		if ok && asked(in.SubnetIDs, sub.id) {
			found = append(found, sub)
		}
	}
	cut, next, err := page(found, func(sub subnet) string { return sub.zone }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &describeSubnetsOutput{NextToken: next}
	for _, sub := range cut {
		out.Subnets = append(out.Subnets, subnetOut{
			SubnetID: sub.id, SubnetArn: s.arn("subnet", sub.id), State: "available", OwnerID: s.cfg.Place.Account, VpcID: s.net.vpcID,
			CidrBlock: sub.cidr.String(), AvailabilityZone: sub.zone, AvailabilityZoneID: sub.zoneID,
			AvailableIPAddressCount: sub.hosts(), DefaultForAz: true, MapPublicIPOnLaunch: true,
			Tags: tagsOut(s.tagsOf(sub.id)),
		})
	}
	return out, nil
}

func (s *EC2) subnetAttributes(sub subnet) attributes {
	return attributes{
		"subnet-id": {sub.id}, "subnet-arn": {s.arn("subnet", sub.id)}, "vpc-id": {s.net.vpcID}, "owner-id": {s.cfg.Place.Account},
		"state": {"available"}, "cidr": {sub.cidr.String()}, "cidr-block": {sub.cidr.String()}, "cidrBlock": {sub.cidr.String()},
		"availability-zone": {sub.zone}, "availabilityZone": {sub.zone}, "availability-zone-id": {sub.zoneID},
		"available-ip-address-count": {strconv.Itoa(sub.hosts())},
		"default-for-az":             {"true"}, "defaultForAz": {"true"}, "map-public-ip-on-launch": {"true"}, "ipv6-native": {"false"},
	}
}

func (s *EC2) arn(kind, id string) string {
	return "arn:aws:ec2:" + s.cfg.Place.Region + ":" + s.cfg.Place.Account + ":" + kind + "/" + id
}
