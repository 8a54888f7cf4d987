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
