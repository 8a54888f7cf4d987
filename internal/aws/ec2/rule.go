package ec2

import (
	"context"

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
