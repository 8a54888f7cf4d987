package ec2

import (
	"context"
	"strconv"

	"neargate/internal/aws/wire"
	"neargate/internal/vpc"
)

func (s *service) aclOperations() []wire.Operation {
	return []wire.Operation{
		op("CreateNetworkAcl", s.createNetworkACL),
		op("CreateNetworkAclEntry", s.createNetworkACLEntry),
		op("DeleteNetworkAcl", s.deleteNetworkACL),
		op("DeleteNetworkAclEntry", s.deleteNetworkACLEntry),
		op("DescribeNetworkAcls", s.describeNetworkACLs),
		op("ReplaceNetworkAclAssociation", s.replaceNetworkACLAssociation),
		op("ReplaceNetworkAclEntry", s.replaceNetworkACLEntry),
	}
}

type createNetworkACLInput struct {
	VpcID             string
	TagSpecifications []tagSpecification `query:"TagSpecification"`
	ClientToken       string
	DryRun            bool
}

type createNetworkACLOutput struct {
	NetworkACL  networkACL `xml:"networkAcl"`
	ClientToken string
}

type networkACL struct {
	NetworkACLID string `xml:"networkAclId"`
	VpcID        string
	OwnerID      string

	IsDefault    bool             `xml:"default"`
	Entries      []aclEntry       `xml:"entrySet"`
	Associations []aclAssociation `xml:"associationSet"`
	Tags         []tag            `xml:"tagSet"`
}

type aclEntry struct {
	RuleNumber                                     int
	Egress                                         bool
	Protocol, RuleAction, CidrBlock, Ipv6CidrBlock string

	PortRange    *portRange
	IcmpTypeCode *icmpTypeCode
}

type portRange struct {
	From, To int
}

type icmpTypeCode struct {
	Code, Type int
}

type aclAssociation struct {
	NetworkACLAssociationID string `xml:"networkAclAssociationId"`
	NetworkACLID            string `xml:"networkAclId"`
	SubnetID                string
}

// createNetworkACL: codes MissingParameter, InvalidVpcID.NotFound,
// NetworkAclLimitExceeded, TagLimitExceeded.
func (s *service) createNetworkACL(ctx context.Context, in *createNetworkACLInput) (*createNetworkACLOutput, error) {
	if err := required("vpcId", in.VpcID); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, vpc.KindACL)
	if err != nil {
		return nil, err
	}
	a, err := s.n.CreateACL(ctx, in.VpcID, tags)
	if err != nil {
		return nil, err
	}
	return &createNetworkACLOutput{s.showACL(a), in.ClientToken}, nil
}

type deleteNetworkACLInput struct {
	NetworkACLID string `query:"NetworkAclId"`
	DryRun       bool
}

// deleteNetworkACL: codes MissingParameter, InvalidNetworkAclID.NotFound,
// InvalidParameterValue, DependencyViolation.
func (s *service) deleteNetworkACL(ctx context.Context, in *deleteNetworkACLInput) (*done, error) {
	if err := required("networkAclId", in.NetworkACLID); err != nil {
		return nil, err
	}
	return finish(s.n.DeleteACL(ctx, in.NetworkACLID))
}

type replaceNetworkACLAssociationInput struct {
	AssociationID string
	NetworkACLID  string `query:"NetworkAclId"`
	DryRun        bool
}

type replaceNetworkACLAssociationOutput struct {
	NewAssociationID string
}

// replaceNetworkACLAssociation: codes MissingParameter,
// InvalidAssociationID.NotFound, InvalidNetworkAclID.NotFound,
// InvalidParameterValue.
func (s *service) replaceNetworkACLAssociation(ctx context.Context, in *replaceNetworkACLAssociationInput) (*replaceNetworkACLAssociationOutput, error) {
	if err := required("associationId", in.AssociationID, "networkAclId", in.NetworkACLID); err != nil {
		return nil, err
	}
	id, err := s.n.ReplaceACL(ctx, in.AssociationID, in.NetworkACLID)
	if err != nil {
		return nil, err
	}
	return &replaceNetworkACLAssociationOutput{id}, nil
}

type describeNetworkACLsInput struct {
	NetworkACLIDs []string `query:"NetworkAclId"`
	Filters       []filter `query:"Filter"`
	MaxResults    *int
	NextToken     string
	DryRun        bool
}

type describeNetworkACLsOutput struct {
	NetworkACLs []networkACL `xml:"networkAclSet"`
	NextToken   string
}

// describeNetworkACLs: codes InvalidNetworkAclID.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeNetworkACLs(_ context.Context, in *describeNetworkACLsInput) (*describeNetworkACLsOutput, error) {
	cut, next, err := list(s, s.n.ACLs(), lister[vpc.ACL]{
		kind: vpc.KindACL, id: func(a vpc.ACL) string { return a.ID }, attributes: s.aclAttributes,
	}, query{in.NetworkACLIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeNetworkACLsOutput{NextToken: next}
	for _, a := range cut {
		out.NetworkACLs = append(out.NetworkACLs, s.showACL(a))
	}
	return out, nil
}

func (s *service) aclAttributes(acl vpc.ACL) attributes {
	a := attributes{
		"network-acl-id": {acl.ID}, "vpc-id": {acl.VPC}, "owner-id": {s.n.Place().Account}, "default": {strconv.FormatBool(acl.Default)},
		"association.subnet-id": nil, "association.association-id": nil, "association.network-acl-id": nil,
		"entry.cidr": nil, "entry.ipv6-cidr": nil, "entry.egress": nil, "entry.protocol": nil, "entry.rule-action": nil, "entry.rule-number": nil,
	}
	for _, sub := range s.n.Subnets() {
		if sub.ACL == acl.ID && acl.ID != "" {
			a["association.subnet-id"] = append(a["association.subnet-id"], sub.ID)
			a["association.association-id"] = append(a["association.association-id"], sub.ACLAssociation)
			a["association.network-acl-id"] = append(a["association.network-acl-id"], acl.ID)
		}
	}
	for _, e := range acl.Entries {
		a["entry.cidr"] = append(a["entry.cidr"], e.CIDR)
		a["entry.ipv6-cidr"] = append(a["entry.ipv6-cidr"], e.IPv6CIDR)
		a["entry.egress"] = append(a["entry.egress"], strconv.FormatBool(e.Egress))
		a["entry.protocol"] = append(a["entry.protocol"], e.Protocol)
		a["entry.rule-action"] = append(a["entry.rule-action"], e.Action)
		a["entry.rule-number"] = append(a["entry.rule-number"], strconv.Itoa(e.Number))
	}
	return a
}

func (s *service) showACL(a vpc.ACL) networkACL {
	out := networkACL{NetworkACLID: a.ID, VpcID: a.VPC, OwnerID: s.n.Place().Account, IsDefault: a.Default, Tags: tagsOut(s.n.Tags(a.ID))}
	for _, e := range a.Entries {
		shown := aclEntry{RuleNumber: e.Number, Egress: e.Egress, Protocol: e.Protocol, RuleAction: e.Action, CidrBlock: e.CIDR, Ipv6CidrBlock: e.IPv6CIDR}
		if e.Ports {
			shown.PortRange = &portRange{e.From, e.To}
		}
		if e.ICMP {
			shown.IcmpTypeCode = &icmpTypeCode{Code: e.ICMPCode, Type: e.ICMPType}
		}
		out.Entries = append(out.Entries, shown)
	}
	for _, sub := range s.n.Subnets() {
		if sub.ACL == a.ID {
			out.Associations = append(out.Associations, aclAssociation{sub.ACLAssociation, a.ID, sub.ID})
		}
	}
	return out
}
