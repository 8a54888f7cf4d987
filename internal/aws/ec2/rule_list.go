package ec2

import (
	"cmp"
	"context"
	"slices"

	"neargate/internal/vpc"
)

type describeSecurityGroupRulesInput struct {
	SecurityGroupRuleIDs []string `query:"SecurityGroupRuleId"`
	Filters              []filter `query:"Filter"`
	MaxResults           *int
	NextToken            string
	DryRun               bool
}

type describeSecurityGroupRulesOutput struct {
	SecurityGroupRules []ruleOut `xml:"securityGroupRuleSet"`
	NextToken          string
}

type ruleOut struct {
	SecurityGroupRuleID, SecurityGroupRuleArn, GroupID, GroupOwnerID, IPProtocol string
	CidrIpv4, CidrIpv6, PrefixListID, Description                                string

	IsEgress            bool
	FromPort, ToPort    int
	ReferencedGroupInfo *referencedGroup
	Tags                []tag `xml:"tagSet"`
}

type referencedGroup struct {
	GroupID, UserID string
}

// describeSecurityGroupRules lists rules by ID. Codes
// InvalidSecurityGroupRuleId.NotFound, InvalidParameterValue, InvalidNextToken.
func (s *service) describeSecurityGroupRules(_ context.Context, in *describeSecurityGroupRulesInput) (*describeSecurityGroupRulesOutput, error) {
	var all []ruleOut
	for _, g := range s.n.Groups() {
		for _, r := range g.Rules {
			all = append(all, s.showRule(g, r))
		}
	}
	slices.SortFunc(all, func(a, b ruleOut) int { return cmp.Compare(a.SecurityGroupRuleID, b.SecurityGroupRuleID) })
	cut, next, err := list(s, all, lister[ruleOut]{
		kind: vpc.KindRule, id: func(r ruleOut) string { return r.SecurityGroupRuleID }, attributes: func(r ruleOut) attributes {
			return attributes{"group-id": {r.GroupID}, "security-group-rule-id": {r.SecurityGroupRuleID}}
		},
	}, query{in.SecurityGroupRuleIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	return &describeSecurityGroupRulesOutput{cut, next}, nil
}

func (s *service) showRule(g vpc.Group, r vpc.Rule) ruleOut {
	out := ruleOut{
		SecurityGroupRuleID: r.ID, SecurityGroupRuleArn: s.n.ARN(vpc.KindRule, r.ID), GroupID: g.ID, GroupOwnerID: s.n.Place().Account,
		IPProtocol: r.Protocol, CidrIpv4: r.Peer.CIDR4, CidrIpv6: r.Peer.CIDR6, PrefixListID: r.Peer.PrefixList, Description: r.Description,
		IsEgress: r.Egress, FromPort: r.From, ToPort: r.To, Tags: tagsOut(s.n.Tags(r.ID)),
	}
	if r.Peer.Group != "" {
		out.ReferencedGroupInfo = &referencedGroup{r.Peer.Group, s.n.Place().Account}
	}
	return out
}
