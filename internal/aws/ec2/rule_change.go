package ec2

import (
	"context"

	"neargate/internal/vpc"
)

type modifySecurityGroupRulesInput struct {
	GroupID            string
	SecurityGroupRules []ruleUpdate `query:"SecurityGroupRule"`
	DryRun             bool
}

type ruleUpdate struct {
	SecurityGroupRuleID string
	SecurityGroupRule   ruleRequest
}

// ruleRequest is a rule as it shall be; exactly one peer is set.
type ruleRequest struct {
	IPProtocol, CidrIpv4, CidrIpv6, PrefixListID, ReferencedGroupID, Description string

	FromPort, ToPort *int
}

// modifySecurityGroupRules changes rules in place, all or none. Codes
// MissingParameter, InvalidParameterValue, InvalidGroup.NotFound,
// InvalidGroupId.Malformed, InvalidSecurityGroupRuleId.NotFound,
// InvalidPermission.Duplicate.
func (s *service) modifySecurityGroupRules(ctx context.Context, in *modifySecurityGroupRulesInput) (*done, error) {
	if len(in.SecurityGroupRules) == 0 {
		return nil, missing("SecurityGroupRules")
	}
	g, err := s.n.ResolveGroup(in.GroupID, "", "")
	if err != nil {
		return nil, err
	}
	var rules []vpc.Rule
	for _, u := range in.SecurityGroupRules {
		r, err := s.rules([]ipPermission{u.SecurityGroupRule.permission()}, g.VPC, false)
		if err != nil {
			return nil, err
		}
		if len(r) != 1 {
			return nil, invalid("Exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId must be given for a security group rule.")
		}
		r[0].ID = u.SecurityGroupRuleID
		rules = append(rules, r[0])
	}
	return finish(s.n.ModifyRules(ctx, g.ID, rules))
}

func (r ruleRequest) permission() ipPermission {
	p := ipPermission{IPProtocol: r.IPProtocol, FromPort: r.FromPort, ToPort: r.ToPort}
	if r.CidrIpv4 != "" {
		p.IPRanges = []ipRange{{r.CidrIpv4, r.Description}}
	}
	if r.CidrIpv6 != "" {
		p.Ipv6Ranges = []ipv6Range{{r.CidrIpv6, r.Description}}
	}
	if r.PrefixListID != "" {
		p.PrefixListIDs = []prefixList{{r.PrefixListID, r.Description}}
	}
	if r.ReferencedGroupID != "" {
		p.Groups = []groupPair{{GroupID: r.ReferencedGroupID, Description: r.Description}}
	}
	return p
}

type updateRuleDescriptionsInput struct {
	GroupID, GroupName string

	IPPermissions                 []ipPermission
	SecurityGroupRuleDescriptions []ruleDescription `query:"SecurityGroupRuleDescription"`
	DryRun                        bool
}

type ruleDescription struct {
	SecurityGroupRuleID, Description string
}

func (s *service) updateSecurityGroupRuleDescriptionsIngress(ctx context.Context, in *updateRuleDescriptionsInput) (*done, error) {
	return s.describeRules(ctx, in, false)
}

func (s *service) updateSecurityGroupRuleDescriptionsEgress(ctx context.Context, in *updateRuleDescriptionsInput) (*done, error) {
	return s.describeRules(ctx, in, true)
}

// describeRules changes the descriptions of rules. Codes MissingParameter,
// InvalidParameterValue, InvalidGroup.NotFound, InvalidPermission.NotFound,
// InvalidSecurityGroupRuleId.NotFound.
func (s *service) describeRules(ctx context.Context, in *updateRuleDescriptionsInput, egress bool) (*done, error) {
	g, err := s.n.ResolveGroup(in.GroupID, in.GroupName, "")
	if err != nil {
		return nil, err
	}
	byID := map[string]string{}
	for _, d := range in.SecurityGroupRuleDescriptions {
		byID[d.SecurityGroupRuleID] = d.Description
	}
	var like []vpc.Rule
	if len(byID) == 0 {
		if like, err = s.rules(in.IPPermissions, g.VPC, egress); err != nil {
			return nil, err
		}
	}
	return finish(s.n.DescribeRules(ctx, g.ID, byID, like))
}
