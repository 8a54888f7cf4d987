package ec2

import (
	"cmp"
	"context"
	"slices"
)

type describeSecurityGroupRulesInput struct {
	SecurityGroupRuleIds []string `query:"SecurityGroupRuleId"`
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
	SecurityGroupRuleId, SecurityGroupRuleArn, GroupId, GroupOwnerId, IpProtocol string
	CidrIpv4, CidrIpv6, PrefixListId, Description                                string

	IsEgress            bool
	FromPort, ToPort    int
	ReferencedGroupInfo *referencedGroup
	Tags                []tag `xml:"tagSet"`
}

type referencedGroup struct {
	GroupId, UserId string
}

// describeSecurityGroupRules lists rules by id. Errors:
// InvalidSecurityGroupRuleId.NotFound, InvalidParameterValue, InvalidNextToken.
func (s *EC2) describeSecurityGroupRules(_ context.Context, in *describeSecurityGroupRulesInput) (*describeSecurityGroupRulesOutput, error) {
	for _, id := range in.SecurityGroupRuleIds {
		if _, _, err := s.findRule(id); err != nil {
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
			if ok && asked(in.SecurityGroupRuleIds, r.ID) {
				found = append(found, s.showRule(g, r))
			}
		}
	}
	key := func(r ruleOut) string { return r.SecurityGroupRuleId }
	slices.SortFunc(found, func(a, b ruleOut) int { return cmp.Compare(key(a), key(b)) })
	cut, next, err := page(found, key, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &describeSecurityGroupRulesOutput{cut, next}, nil
}

func (s *EC2) showRule(g group, r rule) ruleOut {
	out := ruleOut{
		SecurityGroupRuleId: r.ID, SecurityGroupRuleArn: s.arn("security-group-rule", r.ID), GroupId: g.ID, GroupOwnerId: s.cfg.Place.Account,
		IpProtocol: r.Protocol, CidrIpv4: r.Peer.CIDR4, CidrIpv6: r.Peer.CIDR6, PrefixListId: r.Peer.PrefixList, Description: r.Description,
		IsEgress: r.Egress, FromPort: r.From, ToPort: r.To, Tags: tagsOut(s.tagsOf(r.ID)),
	}
	if r.Peer.Group != "" {
		out.ReferencedGroupInfo = &referencedGroup{r.Peer.Group, s.cfg.Place.Account}
	}
	return out
}

func (s *EC2) findRule(id string) (group, rule, error) {
	for _, g := range s.groups.List("") {
		for _, r := range g.Rules {
			if r.ID == id {
				return g, r, nil
			}
		}
	}
	return group{}, rule{}, noRule(id)
}
