package ec2

import (
	"context"
	"slices"
	"strconv"

	"neargate/internal/vpc"
)

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
