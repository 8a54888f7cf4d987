package vpc

import (
	"context"
	"slices"

	"neargate/internal/model"
)

// Tagged is a resource's tags, by its ID.
type Tagged struct {
	ID   string
	Tags []model.Tag // sorted by key
}

// Tags returns a resource's tags.
func (n *Networks) Tags(id string) []model.Tag {
	t, _ := n.tags.Get(id)
	return t.Tags
}

// AllTags returns all resources with tags.
func (n *Networks) AllTags() []Tagged { return n.tags.List("") }

// tag keeps a resource's tags; none at all takes no room.
func (c *change) tag(id string, tags []model.Tag) {
	if len(tags) == 0 {
		c.tags.Delete(id)
		return
	}
	c.tags.Put(id, Tagged{id, tags})
}

// ChangeTags changes the tags of several resources, all or none. Errors:
// InvalidID, the resources' NotFound codes, what fn returns.
func (n *Networks) ChangeTags(ctx context.Context, ids []string, fn func(have []model.Tag) ([]model.Tag, error)) error {
	return n.update(ctx, func(c *change) error {
		for _, id := range ids {
			if err := c.check(id); err != nil {
				return err
			}
			t, _ := c.tags.Get(id)
			tags, err := fn(t.Tags)
			if err != nil {
				return err
			}
			c.tag(id, tags)
		}
		return nil
	})
}

// check wants a resource to exist.
func (c *change) check(id string) error {
	kind, _ := kindOf(id)
	ok := false
	switch kind {
	case KindVPC:
		_, ok = c.vpcs.Get(id)
	case KindSubnet:
		_, ok = c.subnets.Get(id)
	case KindGateway:
		_, ok = c.gateways.Get(id)
	case KindEgressGateway:
		_, ok = c.egressGateways.Get(id)
	case KindNATGateway:
		_, ok = c.natGateways.Get(id)
	case KindRouteTable:
		_, ok = c.routeTables.Get(id)
	case KindAddress:
		_, ok = c.addresses.Get(id)
	case KindACL:
		_, ok = c.acls.Get(id)
	case KindDHCPOptions:
		_, ok = c.dhcpOptions.Get(id)
	case KindEndpoint:
		_, ok = c.endpoints.Get(id)
	case KindSecurityGroup:
		_, ok = c.groups.Get(id)
	case KindRule:
		ok = slices.ContainsFunc(c.groups.List(""), func(g Group) bool {
			return slices.ContainsFunc(g.Rules, func(r Rule) bool { return r.ID == id })
		})
	case KindInterface:
		ok = slices.ContainsFunc(c.inUse, func(i Interface) bool { return i.ID == id })
	case KindPrefixList:
	}
	if !ok {
		return kind.Missing(id)
	}
	return nil
}
