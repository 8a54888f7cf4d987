package ec2

import (
	"context"
	"time"

	"neargate/internal/vpc"
)

type describeNetworkInterfacesInput struct {
	NetworkInterfaceIDs []string `query:"NetworkInterfaceId"`
	Filters             []filter `query:"Filter"`
	MaxResults          *int
	NextToken           string
	DryRun              bool
}

type describeNetworkInterfacesOutput struct {
	NetworkInterfaces []networkInterface `xml:"networkInterfaceSet"`
	NextToken         string
}

type networkInterface struct {
	NetworkInterfaceID, SubnetID, VpcID, AvailabilityZone, Description, OwnerID, RequesterID, Status, InterfaceType string
	MacAddress, PrivateIPAddress, PrivateDNSName                                                                    string

	RequesterManaged   bool
	SourceDestCheck    bool
	Groups             []groupName `xml:"groupSet"`
	Attachment         attachment
	Association        *addressAssociation
	PrivateIPAddresses []privateAddress `xml:"privateIpAddressesSet"`
	TagSet             []tag
}

type groupName struct {
	GroupID, GroupName string
}

type attachment struct {
	AttachmentID, InstanceOwnerID, Status string

	DeviceIndex         int
	DeleteOnTermination bool
	AttachTime          time.Time
}

type addressAssociation struct {
	PublicIP, PublicDNSName string
}

type privateAddress struct {
	PrivateIPAddress string
	Primary          bool
}

// describeNetworkInterfaces: those of running tasks, load balancers and
// NAT gateways. Codes InvalidNetworkInterfaceID.NotFound, InvalidParameterValue, InvalidNextToken.
func (s *service) describeNetworkInterfaces(_ context.Context, in *describeNetworkInterfacesInput) (*describeNetworkInterfacesOutput, error) {
	cut, next, err := list(s, s.n.Interfaces(), lister[vpc.Interface]{
		kind: vpc.KindInterface, id: func(n vpc.Interface) string { return n.ID }, attributes: s.interfaceAttributes,
	}, query{in.NetworkInterfaceIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeNetworkInterfacesOutput{NextToken: next}
	for _, n := range cut {
		out.NetworkInterfaces = append(out.NetworkInterfaces, s.showInterface(n))
	}
	return out, nil
}

func (s *service) interfaceAttributes(n vpc.Interface) attributes {
	vpcID, zone, _ := s.n.Subnet(n.Subnet)
	a := attributes{
		"network-interface-id": {n.ID}, "subnet-id": {n.Subnet}, "vpc-id": {vpcID}, "availability-zone": {zone},
		"description": {n.Description}, "owner-id": {s.n.Place().Account}, "status": {"in-use"}, "attachment.status": {"attached"},
		"private-ip-address": {n.Address.String()}, "addresses.private-ip-address": {n.Address.String()}, "mac-address": {n.MAC},
		"group-id": n.SecurityGroups, "group-name": nil, "interface-type": {interfaceType(n)}, "requester-managed": {"true"},
		"requester-id": {n.Owner}, "association.public-ip": nil, "attachment.instance-owner-id": {n.Owner}, "attachment.instance-id": nil,
		"attachment.attachment-id": {n.AttachmentID},
	}
	if n.PublicAddress.IsValid() {
		a["association.public-ip"] = []string{n.PublicAddress.String()}
	}
	for _, id := range n.SecurityGroups {
		if g, err := s.n.Group(id); err == nil {
			a["group-name"] = append(a["group-name"], g.Name)
		}
	}
	return a
}

func (s *service) showInterface(n vpc.Interface) networkInterface {
	vpcID, zone, _ := s.n.Subnet(n.Subnet)
	ip := n.Address.String()
	out := networkInterface{
		NetworkInterfaceID: n.ID, SubnetID: n.Subnet, VpcID: vpcID, AvailabilityZone: zone, Description: n.Description,
		OwnerID: s.n.Place().Account, Status: "in-use", InterfaceType: interfaceType(n), MacAddress: n.MAC, PrivateIPAddress: ip,
		PrivateDNSName: s.n.Place().PrivateDNSName(ip), RequesterID: n.Owner,
		RequesterManaged:   true,
		SourceDestCheck:    true,
		Attachment:         attachment{AttachmentID: n.AttachmentID, InstanceOwnerID: n.Owner, Status: "attached", AttachTime: n.CreatedAt, DeviceIndex: 1},
		PrivateIPAddresses: []privateAddress{{ip, true}},
		TagSet:             tagsOut(s.n.Tags(n.ID)),
	}
	for _, id := range n.SecurityGroups {
		g, _ := s.n.Group(id) // it cannot be deleted before the interface
		out.Groups = append(out.Groups, groupName{id, g.Name})
	}
	if n.PublicAddress.IsValid() {
		out.Association = &addressAssociation{PublicIP: n.PublicAddress.String()}
	}
	return out
}

func interfaceType(n vpc.Interface) string {
	if n.Type == "" {
		return "interface"
	}
	return n.Type
}
