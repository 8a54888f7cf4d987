package vpc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"neargate/internal/model"
)

// maxRules is EC2's quota of rules in one direction of a security group.
const maxRules = 60

func allowAllOut() Rule {
	return Rule{ID: newID("sgr"), Egress: true, Protocol: "-1", From: -1, To: -1, Peer: Peer{CIDR4: "0.0.0.0/0"}}
}

// GroupVPC returns the VPC of a security group.
func (n *Networks) GroupVPC(id string) (vpcID string, ok bool) {
	g, ok := n.groups.Get(id)
	return g.VPC, ok
}

// DefaultSecurityGroup returns the ID of the default VPC's default group.
func (n *Networks) DefaultSecurityGroup() string { return n.home.group }

// DefaultGroupOf returns the ID of the default group of the VPC that a subnet is
// in.
func (n *Networks) DefaultGroupOf(subnet string) string {
	vpc, _, _ := n.Subnet(subnet)
	for _, g := range n.groups.List("") {
		if g.VPC == vpc && g.Name == "default" {
			return g.ID
		}
	}
	return n.home.group
}

// ResolveGroup finds a group by ID, or by name in a VPC; "" is the default VPC.
// Errors: MissingParameter, InvalidGroupId.Malformed, InvalidGroup.NotFound.
func (n *Networks) ResolveGroup(id, name, vpc string) (Group, error) {
	switch {
	case id != "":
		if !strings.HasPrefix(id, "sg-") {
			return Group{}, model.Errorf(model.Invalid, "InvalidGroupId.Malformed", `Invalid id: "%.80s" (expecting "sg-...")`, id)
		}
		return n.Group(id)
	case name == "":
		return Group{}, model.Errorf(model.Invalid, "MissingParameter", "The request must contain the parameter groupName or groupId")
	case vpc == "":
		vpc = n.home.vpc
	}
	for _, g := range n.groups.List("") {
		if g.Name == name && g.VPC == vpc {
			return g, nil
		}
	}
	return Group{}, model.Errorf(model.NotFound, "InvalidGroup.NotFound", "The security group '%.80s' does not exist in default VPC '%s'", name, n.home.vpc)
}

// CreateGroup makes a group that lets nothing in and all out; vpc "" is the
// default one. Errors: InvalidVpcID.NotFound, InvalidGroup.Duplicate,
// SecurityGroupLimitExceeded.
func (n *Networks) CreateGroup(ctx context.Context, vpc, name, description string, tags []model.Tag) (g Group, err error) {
	if vpc == "" {
		vpc = n.home.vpc
	}
	g = Group{ID: newID("sg"), VPC: vpc, Name: name, Description: description, Rules: []Rule{allowAllOut()}}
	err = n.enforced(ctx, func(c *change) error {
		if _, err := find(c.vpcs, KindVPC, vpc); err != nil {
			return err
		}
		all := c.groups.List("")
		if slices.ContainsFunc(all, func(o Group) bool { return o.Name == name && o.VPC == vpc }) {
			return conflict("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, vpc)
		}
		if err := limit(len(all), "SecurityGroupLimitExceeded", "security groups"); err != nil {
			return err
		}
		c.groups.Put(g.ID, g)
		c.tag(g.ID, tags)
		return nil
	})
	return g, err
}

// DeleteGroup removes a group that nothing uses. Errors: InvalidGroup.NotFound,
// CannotDelete, DependencyViolation.
func (n *Networks) DeleteGroup(ctx context.Context, id string) error {
	return n.enforced(ctx, func(c *change) error {
		g, err := find(c.groups, KindSecurityGroup, id)
		if err != nil {
			return err
		}
		if g.Name == "default" {
			return conflict("CannotDelete", `the specified group: "%s" name: "default" cannot be deleted by a user`, g.ID)
		}
		if c.usesGroup(id) {
			return conflict("DependencyViolation", "resource %s has a dependent object", id)
		}
		c.removeGroup(g)
		return nil
	})
}

// usesGroup reports whether an interface, an endpoint or another group's rule has
// the group.
func (c *change) usesGroup(id string) bool {
	return slices.ContainsFunc(c.inUse, func(i Interface) bool { return slices.Contains(i.SecurityGroups, id) }) ||
		slices.ContainsFunc(c.endpoints.List(""), func(e Endpoint) bool { return slices.Contains(e.Groups, id) }) ||
		slices.ContainsFunc(c.groups.List(""), func(g Group) bool {
			return g.ID != id && slices.ContainsFunc(g.Rules, func(r Rule) bool { return r.Peer.Group == id })
		})
}

func (c *change) removeGroup(g Group) {
	c.groups.Delete(g.ID)
	c.tag(g.ID, nil)
	for _, r := range g.Rules {
		c.tag(r.ID, nil)
	}
}

// AddRules adds rules of one direction to a group, all or none, and returns them
// with their IDs. Errors: InvalidGroup.NotFound, InvalidPermission.Duplicate,
// RulesPerSecurityGroupLimitExceeded.
func (n *Networks) AddRules(ctx context.Context, group string, rules []Rule, tags []model.Tag) ([]Rule, error) {
	added := slices.Clone(rules)
	err := n.changeGroup(ctx, group, func(c *change, g *Group) error {
		for i := range added {
			if slices.ContainsFunc(g.Rules, added[i].Same) {
				return duplicate(added[i])
			}
			added[i].ID = newID("sgr")
			g.Rules = append(g.Rules, added[i])
			c.tag(added[i].ID, tags)
		}
		return checkCount(*g)
	})
	return added, err
}

func (n *Networks) changeGroup(ctx context.Context, id string, fn func(c *change, g *Group) error) error {
	return n.enforced(ctx, func(c *change) error {
		g, err := find(c.groups, KindSecurityGroup, id)
		if err != nil {
			return err
		}
		g.Rules = slices.Clone(g.Rules)
		if err := fn(c, &g); err != nil {
			return err
		}
		c.groups.Put(id, g)
		return nil
	})
}

func checkCount(g Group) error {
	out := 0
	for _, r := range g.Rules {
		if r.Egress {
			out++
		}
	}
	if out > maxRules || len(g.Rules)-out > maxRules {
		return model.Errorf(model.Throttled, "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
	}
	return nil
}

func duplicate(r Rule) error {
	port := fmt.Sprintf("from port: %d, to port: %d, ", r.From, r.To)
	name := strings.ToUpper(r.Protocol)
	if r.Protocol == "-1" {
		port, name = "", "ALL"
	}
	return conflict("InvalidPermission.Duplicate", `the specified rule "peer: %s, %s, %sALLOW" already exists`, r.Peer, name, port)
}

// RemoveRules removes rules of one direction, by ID or by what they allow, all
// or none, and returns their IDs. Errors: InvalidGroup.NotFound,
// InvalidPermission.NotFound, InvalidSecurityGroupRuleId.NotFound.
func (n *Networks) RemoveRules(ctx context.Context, group string, egress bool, ids []string, like []Rule) (gone []string, err error) {
	err = n.changeGroup(ctx, group, func(c *change, g *Group) error {
		gone = slices.Clone(ids)
		for _, id := range ids {
			if !slices.ContainsFunc(g.Rules, func(r Rule) bool { return r.ID == id && r.Egress == egress }) {
				return KindRule.Missing(id)
			}
		}
		for _, l := range like {
			i := slices.IndexFunc(g.Rules, l.Same)
			if i < 0 {
				return model.Errorf(model.NotFound, "InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
			}
			gone = append(gone, g.Rules[i].ID)
		}
		g.Rules = slices.DeleteFunc(g.Rules, func(r Rule) bool { return slices.Contains(gone, r.ID) })
		for _, id := range gone {
			c.tag(id, nil)
		}
		return nil
	})
	return gone, err
}

// ModifyRules replaces rules of a group by others with the same IDs and
// directions, all or none. Errors: InvalidGroup.NotFound,
// InvalidSecurityGroupRuleId.NotFound, InvalidPermission.Duplicate.
func (n *Networks) ModifyRules(ctx context.Context, group string, rules []Rule) error {
	return n.changeGroup(ctx, group, func(_ *change, g *Group) error {
		for _, r := range rules {
			i := slices.IndexFunc(g.Rules, func(o Rule) bool { return o.ID == r.ID })
			if i < 0 {
				return KindRule.Missing(r.ID)
			}
			r.Egress = g.Rules[i].Egress
			if slices.ContainsFunc(g.Rules, func(o Rule) bool { return o.ID != r.ID && o.Same(r) }) {
				return duplicate(r)
			}
			g.Rules[i] = r
		}
		return nil
	})
}

// DescribeRules changes the descriptions of rules, by ID or by what they allow.
// Errors: InvalidGroup.NotFound, InvalidPermission.NotFound,
// InvalidSecurityGroupRuleId.NotFound.
func (n *Networks) DescribeRules(ctx context.Context, group string, byID map[string]string, like []Rule) error {
	return n.changeGroup(ctx, group, func(_ *change, g *Group) error {
		for id, text := range byID {
			i := slices.IndexFunc(g.Rules, func(o Rule) bool { return o.ID == id })
			if i < 0 {
				return KindRule.Missing(id)
			}
			g.Rules[i].Description = text
		}
		for _, l := range like {
			i := slices.IndexFunc(g.Rules, l.Same)
			if i < 0 {
				return model.Errorf(model.NotFound, "InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
			}
			g.Rules[i].Description = l.Description
		}
		return nil
	})
}
