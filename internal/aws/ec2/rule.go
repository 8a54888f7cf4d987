package ec2

import (
	"cmp"
	"context"
	"slices"

	"neargate/internal/vpc"
)

// changeRulesInput is the input of all four: the group, and permissions either
// in a list or, for ingress, as one in the request itself.
type changeRulesInput struct {
	GroupID, GroupName string

	IPPermissions           []ipPermission
	SecurityGroupRuleIDs    []string `query:"SecurityGroupRuleId"`
	IPProtocol, CidrIP      string
	FromPort, ToPort        *int
	SourceSecurityGroupName string
	TagSpecifications       []tagSpecification `query:"TagSpecification"`
	DryRun                  bool
}

// permissions returns the permissions in either form.
func (in *changeRulesInput) permissions() []ipPermission {
	if len(in.IPPermissions) > 0 || in.IPProtocol == "" && in.SourceSecurityGroupName == "" {
		return in.IPPermissions
	}
	p := ipPermission{IPProtocol: in.IPProtocol, FromPort: in.FromPort, ToPort: in.ToPort}
	if in.CidrIP != "" {
		p.IPRanges = []ipRange{{CidrIP: in.CidrIP}}
	}
	if in.SourceSecurityGroupName != "" {
		p.Groups = []groupPair{{GroupName: in.SourceSecurityGroupName}}
		if p.IPProtocol == "" {
			p.IPProtocol = "-1"
		}
	}
	return []ipPermission{p}
}

type authorizeOutput struct {
	Return             bool
	SecurityGroupRules []ruleOut `xml:"securityGroupRuleSet"`
}

func (s *service) authorizeSecurityGroupIngress(ctx context.Context, in *changeRulesInput) (*authorizeOutput, error) {
	return s.authorize(ctx, in, false)
}

func (s *service) authorizeSecurityGroupEgress(ctx context.Context, in *changeRulesInput) (*authorizeOutput, error) {
	return s.authorize(ctx, in, true)
}

// authorize adds rules, all or none. Codes MissingParameter,
// InvalidParameterValue, InvalidGroup.NotFound, InvalidGroupId.Malformed,
// InvalidPermission.Duplicate, RulesPerSecurityGroupLimitExceeded,
// TagLimitExceeded.
func (s *service) authorize(ctx context.Context, in *changeRulesInput, egress bool) (*authorizeOutput, error) {
	g, err := s.n.ResolveGroup(in.GroupID, in.GroupName, "")
	if err != nil {
		return nil, err
	}
	rules, err := s.rules(in.permissions(), g.VPC, egress)
	if err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, vpc.KindRule)
	if err != nil {
		return nil, err
	}
	added, err := s.n.AddRules(ctx, g.ID, rules, tags)
	if err != nil {
		return nil, err
	}
	out := &authorizeOutput{Return: true}
	for _, r := range added {
		out.SecurityGroupRules = append(out.SecurityGroupRules, s.showRule(g, r))
	}
	return out, nil
}

func (s *service) revokeSecurityGroupIngress(ctx context.Context, in *changeRulesInput) (*revokeOutput, error) {
	return s.revoke(ctx, in, false)
}

func (s *service) revokeSecurityGroupEgress(ctx context.Context, in *changeRulesInput) (*revokeOutput, error) {
	return s.revoke(ctx, in, true)
}

type revokeOutput struct {
	Return                    bool
	UnknownIPPermissions      []ipPermission `xml:"unknownIpPermissionSet"`
	RevokedSecurityGroupRules []ruleRevoked  `xml:"revokedSecurityGroupRuleSet"`
}

type ruleRevoked struct {
	SecurityGroupRuleID, GroupID string

	IsEgress bool
}

// revoke removes rules, by ID or by what they allow, all or none. Codes
// MissingParameter, InvalidParameterValue, InvalidGroup.NotFound,
// InvalidGroupId.Malformed, InvalidPermission.NotFound,
// InvalidSecurityGroupRuleId.NotFound.
func (s *service) revoke(ctx context.Context, in *changeRulesInput, egress bool) (*revokeOutput, error) {
	g, err := s.n.ResolveGroup(in.GroupID, in.GroupName, "")
	if err != nil {
		return nil, err
	}
	var like []vpc.Rule
	if len(in.SecurityGroupRuleIDs) == 0 {
		if like, err = s.rules(in.permissions(), g.VPC, egress); err != nil {
			return nil, err
		}
	}
	gone, err := s.n.RemoveRules(ctx, g.ID, egress, in.SecurityGroupRuleIDs, like)
	if err != nil {
		return nil, err
	}
	out := &revokeOutput{Return: true}
	for _, id := range gone {
		out.RevokedSecurityGroupRules = append(out.RevokedSecurityGroupRules, ruleRevoked{id, g.ID, egress})
	}
	return out, nil
}

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
