package ec2

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"neargate/internal/model"
)

const maxRules = 60

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

// permissions gives the permissions in either form.
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

func (s *EC2) authorizeSecurityGroupIngress(ctx context.Context, in *changeRulesInput) (*authorizeOutput, error) {
	return s.authorize(ctx, in, false)
}

func (s *EC2) authorizeSecurityGroupEgress(ctx context.Context, in *changeRulesInput) (*authorizeOutput, error) {
	return s.authorize(ctx, in, true)
}

// authorize adds rules, all or none. Errors: MissingParameter,
// InvalidParameterValue, InvalidGroup.NotFound, InvalidGroupId.Malformed,
// InvalidPermission.Duplicate, RulesPerSecurityGroupLimitExceeded,
// TagLimitExceeded.
func (s *EC2) authorize(ctx context.Context, in *changeRulesInput, egress bool) (*authorizeOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.resolve(groupRef{in.GroupID, in.GroupName})
	if err != nil {
		return nil, err
	}
	added, err := s.rules(in.permissions(), egress)
	if err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, "security-group-rule")
	if err != nil {
		return nil, err
	}
	g.Rules = slices.Clone(g.Rules)
	for i := range added {
		if slices.ContainsFunc(g.Rules, added[i].same) {
			return nil, duplicate(added[i])
		}
		added[i].ID = newID("sgr")
		g.Rules = append(g.Rules, added[i])
	}
	if side := slices.DeleteFunc(slices.Clone(g.Rules), func(r rule) bool { return r.Egress != egress }); len(side) > maxRules {
		return nil, model.Errorf(model.Throttled, "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
	}
	out := &authorizeOutput{Return: true}
	for _, r := range added {
		if err := s.putTags(ctx, r.ID, tags); err != nil {
			return nil, err
		}
		out.SecurityGroupRules = append(out.SecurityGroupRules, s.showRule(g, r))
	}
	return out, s.putGroup(ctx, g)
}

func duplicate(r rule) error {
	port := fmt.Sprintf("from port: %d, to port: %d, ", r.From, r.To)
	name := strings.ToUpper(r.Protocol)
	if r.Protocol == "-1" {
		port, name = "", "ALL"
	}
	return model.Errorf(model.Conflict, "InvalidPermission.Duplicate", `the specified rule "peer: %s, %s, %sALLOW" already exists`, r.Peer, name, port)
}

func (s *EC2) revokeSecurityGroupIngress(ctx context.Context, in *changeRulesInput) (*revokeOutput, error) {
	return s.revoke(ctx, in, false)
}

func (s *EC2) revokeSecurityGroupEgress(ctx context.Context, in *changeRulesInput) (*revokeOutput, error) {
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

// revoke removes rules, by id or by what they allow, all or none. Errors:
// MissingParameter, InvalidParameterValue, InvalidGroup.NotFound,
// InvalidGroupId.Malformed, InvalidPermission.NotFound,
// InvalidSecurityGroupRuleId.NotFound.
func (s *EC2) revoke(ctx context.Context, in *changeRulesInput, egress bool) (*revokeOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.resolve(groupRef{in.GroupID, in.GroupName})
	if err != nil {
		return nil, err
	}
	gone, err := s.toRevoke(g, in, egress)
	if err != nil {
		return nil, err
	}
	g.Rules = slices.DeleteFunc(slices.Clone(g.Rules), func(r rule) bool { return slices.Contains(gone, r.ID) })
	out := &revokeOutput{Return: true}
	for _, id := range gone {
		if err := s.putTags(ctx, id, nil); err != nil {
			return nil, err
		}
		out.RevokedSecurityGroupRules = append(out.RevokedSecurityGroupRules, ruleRevoked{id, g.ID, egress})
	}
	return out, s.putGroup(ctx, g)
}

// toRevoke gives the ids of the rules that a request means.
func (s *EC2) toRevoke(g group, in *changeRulesInput, egress bool) ([]string, error) {
	if len(in.SecurityGroupRuleIDs) > 0 {
		for _, id := range in.SecurityGroupRuleIDs {
			if !slices.ContainsFunc(g.Rules, func(r rule) bool { return r.ID == id && r.Egress == egress }) {
				return nil, noRule(id)
			}
		}
		return in.SecurityGroupRuleIDs, nil
	}
	named, err := s.rules(in.permissions(), egress)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, n := range named {
		i := slices.IndexFunc(g.Rules, n.same)
		if i < 0 {
			return nil, notFound("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		ids = append(ids, g.Rules[i].ID)
	}
	return ids, nil
}

func noRule(id string) error {
	return notFound("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%.80s' does not exist", id)
}
