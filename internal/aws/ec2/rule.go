package ec2

import (
	"cmp"
	"context"
	"slices"
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

// describeSecurityGroupRules lists rules by id. Errors:
// InvalidSecurityGroupRuleId.NotFound, InvalidParameterValue, InvalidNextToken.
func (s *EC2) describeSecurityGroupRules(_ context.Context, in *describeSecurityGroupRulesInput) (*describeSecurityGroupRulesOutput, error) {
	for _, id := range in.SecurityGroupRuleIDs {
		if err := s.checkRule(id); err != nil {
			return nil, err
		}
	}
	if _, err := matches(in.Filters, attributes{"group-id": nil, "security-group-rule-id": nil}, nil); err != nil { // also when there is none
		return nil, err
	}
	var found []ruleOut
	for _, g := range s.groups.List("") {
		for _, r := range g.Rules {
			ok, _ := matches(in.Filters, attributes{"group-id": {g.ID}, "security-group-rule-id": {r.ID}}, s.tagsOf(r.ID))
			if ok && asked(in.SecurityGroupRuleIDs, r.ID) {
				found = append(found, s.showRule(g, r))
			}
		}
	}
	key := func(r ruleOut) string { return r.SecurityGroupRuleID }
	slices.SortFunc(found, func(a, b ruleOut) int { return cmp.Compare(key(a), key(b)) })
	cut, next, err := page(found, key, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &describeSecurityGroupRulesOutput{cut, next}, nil
}

func (s *EC2) showRule(g group, r rule) ruleOut {
	out := ruleOut{
		SecurityGroupRuleID: r.ID, SecurityGroupRuleArn: s.arn("security-group-rule", r.ID), GroupID: g.ID, GroupOwnerID: s.cfg.Place.Account,
		IPProtocol: r.Protocol, CidrIpv4: r.Peer.CIDR4, CidrIpv6: r.Peer.CIDR6, PrefixListID: r.Peer.PrefixList, Description: r.Description,
		IsEgress: r.Egress, FromPort: r.From, ToPort: r.To, Tags: tagsOut(s.tagsOf(r.ID)),
	}
	if r.Peer.Group != "" {
		out.ReferencedGroupInfo = &referencedGroup{r.Peer.Group, s.cfg.Place.Account}
	}
	return out
}

func (s *EC2) checkRule(id string) error {
	for _, g := range s.groups.List("") {
		if slices.Contains(g.ruleIDs(), id) {
			return nil
		}
	}
	return noRule(id)
}
