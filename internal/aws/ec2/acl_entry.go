package ec2

import (
	"context"

	"neargate/internal/vpc"
)

type networkACLEntryInput struct {
	NetworkACLID                                   string `query:"NetworkAclId"`
	RuleNumber                                     *int
	Egress                                         bool
	Protocol, RuleAction, CidrBlock, Ipv6CidrBlock string

	PortRange *portRange
	Icmp      *icmpTypeCode
	DryRun    bool
}

// createNetworkACLEntry: codes MissingParameter, InvalidNetworkAclID.NotFound,
// InvalidParameterValue, NetworkAclEntryAlreadyExists,
// NetworkAclEntryLimitExceeded.
func (s *service) createNetworkACLEntry(ctx context.Context, in *networkACLEntryInput) (*done, error) {
	return s.putACLEntry(ctx, in, false)
}

// replaceNetworkACLEntry: codes MissingParameter, InvalidNetworkAclID.NotFound,
// InvalidParameterValue, InvalidNetworkAclEntry.NotFound.
func (s *service) replaceNetworkACLEntry(ctx context.Context, in *networkACLEntryInput) (*done, error) {
	return s.putACLEntry(ctx, in, true)
}

func (s *service) putACLEntry(ctx context.Context, in *networkACLEntryInput, replace bool) (*done, error) {
	if in.RuleNumber == nil {
		return nil, missing("ruleNumber")
	}
	if err := required("networkAclId", in.NetworkACLID, "protocol", in.Protocol, "ruleAction", in.RuleAction); err != nil {
		return nil, err
	}
	e := vpc.ACLEntry{Number: *in.RuleNumber, Egress: in.Egress, Action: in.RuleAction, CIDR: in.CidrBlock, IPv6CIDR: in.Ipv6CidrBlock}
	var err error
	if e.Protocol, err = aclProtocol(in.Protocol); err != nil {
		return nil, err
	}
	if r := in.PortRange; r != nil {
		e.Ports, e.From, e.To = true, r.From, r.To
	}
	switch i := in.Icmp; {
	case i != nil:
		e.ICMP, e.ICMPType, e.ICMPCode = true, i.Type, i.Code
	case (e.Protocol == "6" || e.Protocol == "17") && (!e.Ports || e.From < 0 || e.To > 65535 || e.From > e.To):
		return nil, invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
	}
	return finish(s.n.PutACLEntry(ctx, in.NetworkACLID, e, replace))
}

// aclProtocol is a protocol by its number, as ACLs show it.
func aclProtocol(text string) (string, error) {
	name, err := protocol(text)
	if err != nil {
		return "", err
	}
	if number := map[string]string{"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}[name]; number != "" {
		return number, nil
	}
	return name, nil
}

type deleteNetworkACLEntryInput struct {
	NetworkACLID string `query:"NetworkAclId"`
	RuleNumber   *int
	Egress       bool
	DryRun       bool
}

// deleteNetworkACLEntry: codes MissingParameter, InvalidNetworkAclID.NotFound,
// InvalidNetworkAclEntry.NotFound.
func (s *service) deleteNetworkACLEntry(ctx context.Context, in *deleteNetworkACLEntryInput) (*done, error) {
	if err := required("networkAclId", in.NetworkACLID); err != nil {
		return nil, err
	}
	if in.RuleNumber == nil {
		return nil, missing("ruleNumber")
	}
	return finish(s.n.DeleteACLEntry(ctx, in.NetworkACLID, *in.RuleNumber, in.Egress))
}
