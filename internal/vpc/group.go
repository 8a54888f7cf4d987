package vpc

import (
	"context"
	"slices"
	"strings"

	"neargate/internal/model"
)

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
