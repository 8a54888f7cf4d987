package ec2

import (
	"cmp"
	"context"
	"slices"
	"time"
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

// describeNetworkInterfaces: those of running tasks and of load balancers. Errors:
// InvalidNetworkInterfaceID.NotFound, InvalidParameterValue, InvalidNextToken.
func (s *EC2) describeNetworkInterfaces(_ context.Context, in *describeNetworkInterfacesInput) (*describeNetworkInterfacesOutput, error) {
	all := s.networkInterfaces()
	ids := make([]string, len(all))
	for i, n := range all {
		ids[i] = n.ID
	}
	if err := checkIDs(in.NetworkInterfaceIDs, ids, "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%.80s' does not exist"); err != nil {
		return nil, err
	}
	if _, err := matches(in.Filters, s.interfaceAttributes(Interface{}), nil); err != nil { // also when there is none
		return nil, err
	}
	all = slices.DeleteFunc(all, func(n Interface) bool {
		ok, _ := matches(in.Filters, s.interfaceAttributes(n), s.tagsOf(n.ID))
		return !ok || !asked(in.NetworkInterfaceIDs, n.ID)
	})
	cut, next, err := page(all, func(n Interface) string { return n.ID }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &describeNetworkInterfacesOutput{NextToken: next}
	for _, n := range cut {
		out.NetworkInterfaces = append(out.NetworkInterfaces, s.showInterface(n))
	}
	return out, nil
}

// networkInterfaces gives the interfaces by id, in a list of the caller's own.
func (s *EC2) networkInterfaces() []Interface {
	if s.cfg.Interfaces == nil {
		return nil
	}
	all := s.cfg.Interfaces()
	slices.SortFunc(all, func(a, b Interface) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func (s *EC2) interfaceAttributes(n Interface) attributes {
	_, zone, _ := s.Subnet(n.Subnet)
	a := attributes{
		"network-interface-id": {n.ID}, "subnet-id": {n.Subnet}, "vpc-id": {s.net.vpcID}, "availability-zone": {zone},
		"description": {n.Description}, "owner-id": {s.cfg.Place.Account}, "status": {"in-use"}, "attachment.status": {"attached"},
		"private-ip-address": {n.Address.String()}, "addresses.private-ip-address": {n.Address.String()}, "mac-address": {n.MAC},
		"group-id": n.SecurityGroups, "group-name": nil, "interface-type": {"interface"}, "requester-managed": {"true"},
		"requester-id": {n.Owner}, "association.public-ip": nil, "attachment.instance-owner-id": {n.Owner}, "attachment.instance-id": nil,
		"attachment.attachment-id": {n.AttachmentID},
	}
	if n.PublicAddress.IsValid() {
		a["association.public-ip"] = []string{n.PublicAddress.String()}
	}
	for _, id := range n.SecurityGroups {
		if g, ok := s.groups.Get(id); ok {
			a["group-name"] = append(a["group-name"], g.Name)
		}
	}
	return a
}

func (s *EC2) showInterface(n Interface) networkInterface {
	_, zone, _ := s.Subnet(n.Subnet)
	ip := n.Address.String()
	out := networkInterface{
		NetworkInterfaceID: n.ID, SubnetID: n.Subnet, VpcID: s.net.vpcID, AvailabilityZone: zone, Description: n.Description,
		OwnerID: s.cfg.Place.Account, Status: "in-use", InterfaceType: "interface", MacAddress: n.MAC, PrivateIPAddress: ip,
		PrivateDNSName: s.cfg.Place.PrivateDNSName(ip), RequesterID: n.Owner,
		RequesterManaged:   true,
		SourceDestCheck:    true,
		Attachment:         attachment{AttachmentID: n.AttachmentID, InstanceOwnerID: n.Owner, Status: "attached", AttachTime: n.CreatedAt, DeviceIndex: 1},
		PrivateIPAddresses: []privateAddress{{ip, true}},
		TagSet:             tagsOut(s.tagsOf(n.ID)),
	}
	for _, id := range n.SecurityGroups {
		g, _ := s.groups.Get(id)
		out.Groups = append(out.Groups, groupName{id, g.Name})
	}
	if n.PublicAddress.IsValid() {
		out.Association = &addressAssociation{PublicIP: n.PublicAddress.String()}
	}
	return out
}
