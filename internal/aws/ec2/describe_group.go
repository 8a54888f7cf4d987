package ec2

import (
	"context"
	"slices"
	"strconv"
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

// describeSecurityGroups lists groups by id. Errors: InvalidGroup.NotFound,
// InvalidGroupId.Malformed, InvalidParameterValue, InvalidNextToken.
func (s *EC2) describeSecurityGroups(_ context.Context, in *describeSecurityGroupsInput) (*describeSecurityGroupsOutput, error) {
	for _, id := range in.GroupIDs {
		if _, err := s.findGroup(id); err != nil {
			return nil, err
		}
	}
	for _, name := range in.GroupNames {
		if _, err := s.named(name); err != nil {
			return nil, err
		}
	}
	var found []group
	for _, g := range s.groups.List("") {
		ok, err := matches(in.Filters, s.groupAttributes(g), s.tagsOf(g.ID))
		if err != nil {
			return nil, err
		}
		if ok && asked(in.GroupIDs, g.ID) && asked(in.GroupNames, g.Name) {
			found = append(found, g)
		}
	}
	cut, next, err := page(found, func(g group) string { return g.ID }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &describeSecurityGroupsOutput{NextToken: next}
	for _, g := range cut {
		out.SecurityGroups = append(out.SecurityGroups, groupOut{
			OwnerID: s.cfg.Place.Account, GroupID: g.ID, GroupName: g.Name, VpcID: s.net.vpcID, SecurityGroupArn: s.arn("security-group", g.ID),
			Description: g.Description, IPPermissions: s.permissions(g, false), IPPermissionsEgress: s.permissions(g, true),
			Tags: tagsOut(s.tagsOf(g.ID)),
		})
	}
	return out, nil
}

func (s *EC2) groupAttributes(g group) attributes {
	a := attributes{
		"group-id": {g.ID}, "group-name": {g.Name}, "description": {g.Description}, "owner-id": {s.cfg.Place.Account}, "vpc-id": {s.net.vpcID},
	}
	for _, side := range []string{"ip-permission.", "egress.ip-permission."} {
		for _, name := range []string{"cidr", "ipv6-cidr", "group-id", "protocol", "from-port", "to-port"} {
			a[side+name] = nil
		}
	}
	for _, r := range g.Rules {
		side := "ip-permission."
		if r.Egress {
			side = "egress.ip-permission."
		}
		for name, value := range map[string]string{
			"cidr": r.Peer.CIDR4, "ipv6-cidr": r.Peer.CIDR6, "group-id": r.Peer.Group, "protocol": r.Protocol,
			"from-port": strconv.Itoa(r.From), "to-port": strconv.Itoa(r.To),
		} {
			if value != "" {
				a[side+name] = append(a[side+name], value)
			}
		}
	}
	return a
}

// permissions gives one side of a group's rules as EC2 shows them: those of the
// same protocol and ports in one.
func (s *EC2) permissions(g group, egress bool) []ipPermission {
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
		out[i].add(r, s.cfg.Place.Account)
	}
	return out
}
