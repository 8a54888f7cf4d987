package ec2

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/vpc"
)

func (s *service) groupOperations() []wire.Operation {
	return []wire.Operation{
		op("AuthorizeSecurityGroupEgress", s.authorizeSecurityGroupEgress),
		op("AuthorizeSecurityGroupIngress", s.authorizeSecurityGroupIngress),
		op("CreateSecurityGroup", s.createSecurityGroup),
		op("DeleteSecurityGroup", s.deleteSecurityGroup),
		op("DescribeSecurityGroupReferences", s.describeSecurityGroupReferences),
		op("DescribeSecurityGroupRules", s.describeSecurityGroupRules),
		op("DescribeSecurityGroups", s.describeSecurityGroups),
		op("DescribeStaleSecurityGroups", s.describeStaleSecurityGroups),
		op("ModifySecurityGroupRules", s.modifySecurityGroupRules),
		op("RevokeSecurityGroupEgress", s.revokeSecurityGroupEgress),
		op("RevokeSecurityGroupIngress", s.revokeSecurityGroupIngress),
		op("UpdateSecurityGroupRuleDescriptionsEgress", s.updateSecurityGroupRuleDescriptionsEgress),
		op("UpdateSecurityGroupRuleDescriptionsIngress", s.updateSecurityGroupRuleDescriptionsIngress),
	}
}

type createSecurityGroupInput struct {
	GroupName         string
	Description       string `query:"GroupDescription"`
	VpcID             string
	TagSpecifications []tagSpecification `query:"TagSpecification"`
	DryRun            bool
}

type createSecurityGroupOutput struct {
	Return           bool
	GroupID          string
	SecurityGroupArn string
	Tags             []tag `xml:"tagSet"`
}

// createSecurityGroup makes a group that lets nothing in and all out. Codes
// MissingParameter, InvalidParameterValue, InvalidVpcID.NotFound,
// InvalidGroup.Duplicate, InvalidGroup.Reserved, SecurityGroupLimitExceeded,
// TagLimitExceeded.
func (s *service) createSecurityGroup(ctx context.Context, in *createSecurityGroupInput) (*createSecurityGroupOutput, error) {
	if err := checkGroupInput(in); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, vpc.KindSecurityGroup)
	if err != nil {
		return nil, err
	}
	g, err := s.n.CreateGroup(ctx, in.VpcID, in.GroupName, in.Description, tags)
	if err != nil {
		return nil, err
	}
	return &createSecurityGroupOutput{true, g.ID, s.n.ARN(vpc.KindSecurityGroup, g.ID), tagsOut(tags)}, nil
}

func checkGroupInput(in *createSecurityGroupInput) error {
	odd := func(text string) bool {
		return len(text) > 255 || strings.ContainsFunc(text, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(" ._-:/()#,@[]+=&;{}!$*", r)
		})
	}
	switch {
	case in.GroupName == "":
		return missing("groupName")
	case in.Description == "":
		return missing("GroupDescription")
	case in.GroupName == "default":
		return model.Errorf(model.Invalid, "InvalidGroup.Reserved", "The security group name 'default' is reserved")
	case odd(in.GroupName):
		return invalid("Value (%.255s) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.", in.GroupName)
	case strings.HasPrefix(in.GroupName, "sg-"):
		return invalid("Value (%.255s) for parameter GroupName is invalid. Group names may not be in the format sg-*.", in.GroupName)
	case odd(in.Description):
		return invalid("Value (%.255s) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.", in.Description)
	}
	return nil
}

type deleteSecurityGroupInput struct {
	GroupID, GroupName string

	DryRun bool
}

type deleteSecurityGroupOutput struct {
	Return  bool
	GroupID string
}

// deleteSecurityGroup: codes MissingParameter, InvalidGroupId.Malformed,
// InvalidGroup.NotFound, CannotDelete, DependencyViolation.
func (s *service) deleteSecurityGroup(ctx context.Context, in *deleteSecurityGroupInput) (*deleteSecurityGroupOutput, error) {
	g, err := s.n.ResolveGroup(in.GroupID, in.GroupName, "")
	if err != nil {
		return nil, err
	}
	if err := s.n.DeleteGroup(ctx, g.ID); err != nil {
		return nil, err
	}
	return &deleteSecurityGroupOutput{true, g.ID}, nil
}

type describeSecurityGroupsInput struct {
	GroupIDs   []string `query:"GroupId"`
	GroupNames []string `query:"GroupName"`
	Filters    []filter `query:"Filter"`
	MaxResults *int
	NextToken  string
	DryRun     bool
}

type describeSecurityGroupsOutput struct {
	SecurityGroups []groupOut `xml:"securityGroupInfo"`
	NextToken      string
}

type groupOut struct {
	OwnerID, GroupID, GroupName, VpcID, SecurityGroupArn string

	Description         string `xml:"groupDescription"`
	IPPermissions       []ipPermission
	IPPermissionsEgress []ipPermission
	Tags                []tag `xml:"tagSet"`
}

// describeSecurityGroups: codes InvalidGroup.NotFound, InvalidGroupId.Malformed,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeSecurityGroups(_ context.Context, in *describeSecurityGroupsInput) (*describeSecurityGroupsOutput, error) {
	ids := slices.Clone(in.GroupIDs)
	for _, id := range ids {
		if _, err := s.n.ResolveGroup(id, "", ""); err != nil {
			return nil, err
		}
	}
	for _, name := range in.GroupNames {
		g, err := s.n.ResolveGroup("", name, "")
		if err != nil {
			return nil, err
		}
		ids = append(ids, g.ID)
	}
	cut, next, err := list(s, s.n.Groups(), lister[vpc.Group]{
		kind: vpc.KindSecurityGroup, id: func(g vpc.Group) string { return g.ID }, attributes: s.groupAttributes,
	}, query{ids, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeSecurityGroupsOutput{NextToken: next}
	for _, g := range cut {
		out.SecurityGroups = append(out.SecurityGroups, groupOut{
			OwnerID: s.n.Place().Account, GroupID: g.ID, GroupName: g.Name, VpcID: g.VPC, SecurityGroupArn: s.n.ARN(vpc.KindSecurityGroup, g.ID),
			Description: g.Description, IPPermissions: s.permissions(g, false), IPPermissionsEgress: s.permissions(g, true),
			Tags: tagsOut(s.n.Tags(g.ID)),
		})
	}
	return out, nil
}

func (s *service) groupAttributes(g vpc.Group) attributes {
	a := attributes{
		"group-id": {g.ID}, "group-name": {g.Name}, "description": {g.Description}, "owner-id": {s.n.Place().Account}, "vpc-id": {g.VPC},
	}
	for _, side := range []string{"ip-permission.", "egress.ip-permission."} {
		for _, name := range []string{"cidr", "ipv6-cidr", "group-id", "prefix-list-id", "protocol", "from-port", "to-port"} {
			a[side+name] = nil
		}
	}
	for _, r := range g.Rules {
		side := "ip-permission."
		if r.Egress {
			side = "egress.ip-permission."
		}
		for name, value := range map[string]string{
			"cidr": r.Peer.CIDR4, "ipv6-cidr": r.Peer.CIDR6, "group-id": r.Peer.Group, "prefix-list-id": r.Peer.PrefixList, "protocol": r.Protocol,
			"from-port": strconv.Itoa(r.From), "to-port": strconv.Itoa(r.To),
		} {
			if value != "" {
				a[side+name] = append(a[side+name], value)
			}
		}
	}
	return a
}

// permissions shows one side of a group's rules as EC2 does: those of the same
// protocol and ports in one.
func (s *service) permissions(g vpc.Group, egress bool) []ipPermission {
	var out []ipPermission
	for _, r := range g.Rules {
		if r.Egress != egress {
			continue
		}
		i := slices.IndexFunc(out, func(p ipPermission) bool {
			return p.IPProtocol == r.Protocol && (p.FromPort == nil || *p.FromPort == r.From && *p.ToPort == r.To)
		})
		if i < 0 {
			i = len(out)
			p := ipPermission{IPProtocol: r.Protocol}
			if r.Protocol != "-1" {
				p.FromPort, p.ToPort = &r.From, &r.To
			}
			out = append(out, p)
		}
		out[i].add(r, s.n.Place().Account)
	}
	return out
}

type describeSecurityGroupReferencesInput struct {
	GroupIDs []string `query:"GroupId"`
	DryRun   bool
}

type describeSecurityGroupReferencesOutput struct {
	SecurityGroupReferences []string `xml:"securityGroupReferenceSet"`
}

// describeSecurityGroupReferences: references from other accounts' VPCs, of
// which there are none. Codes MissingParameter, InvalidGroup.NotFound.
func (s *service) describeSecurityGroupReferences(_ context.Context, in *describeSecurityGroupReferencesInput) (*describeSecurityGroupReferencesOutput, error) {
	if len(in.GroupIDs) == 0 {
		return nil, missing("groupId")
	}
	for _, id := range in.GroupIDs {
		if _, err := s.n.ResolveGroup(id, "", ""); err != nil {
			return nil, err
		}
	}
	return &describeSecurityGroupReferencesOutput{}, nil
}

type describeStaleSecurityGroupsInput struct {
	VpcID  string
	DryRun bool
}

type describeStaleSecurityGroupsOutput struct {
	StaleSecurityGroups []string `xml:"staleSecurityGroupSet"`
}

// describeStaleSecurityGroups: a group goes stale with a peering connection, of
// which there are none. Codes MissingParameter, InvalidVpcID.NotFound.
func (s *service) describeStaleSecurityGroups(_ context.Context, in *describeStaleSecurityGroupsInput) (*describeStaleSecurityGroupsOutput, error) {
	if err := required("vpcId", in.VpcID); err != nil {
		return nil, err
	}
	_, err := s.n.VPC(in.VpcID)
	return &describeStaleSecurityGroupsOutput{}, err
}
