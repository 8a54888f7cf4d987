package vpc

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"neargate/internal/model"
)

// lastEntry is the number of the entries that close every ACL; shown as *.
const lastEntry = 32767

// closing are the entries that every ACL ends with.
func closing() []ACLEntry {
	return []ACLEntry{
		{Number: lastEntry, Protocol: "-1", Action: "deny", CIDR: "0.0.0.0/0", Egress: true},
		{Number: lastEntry, Protocol: "-1", Action: "deny", CIDR: "0.0.0.0/0"},
	}
}

// CreateACL makes a network ACL that lets nothing through. Errors:
// InvalidVpcID.NotFound, NetworkAclLimitExceeded.
func (n *Networks) CreateACL(ctx context.Context, vpc string, tags []model.Tag) (a ACL, err error) {
	a = ACL{ID: newID("acl"), VPC: vpc, Entries: closing()}
	err = n.update(ctx, func(c *change) error {
		if _, err := find(c.vpcs, KindVPC, vpc); err != nil {
			return err
		}
		if err := limit(len(c.acls.List("")), "NetworkAclLimitExceeded", "network ACLs"); err != nil {
			return err
		}
		c.acls.Put(a.ID, a)
		c.tag(a.ID, tags)
		return nil
	})
	return a, err
}

// DeleteACL removes a network ACL that no subnet has. Errors:
// InvalidNetworkAclID.NotFound, InvalidParameterValue, DependencyViolation.
func (n *Networks) DeleteACL(ctx context.Context, id string) error {
	return n.update(ctx, func(c *change) error {
		a, err := find(c.acls, KindACL, id)
		if err != nil {
			return err
		}
		if a.Default {
			return invalid("cannot delete default network ACL %s", id)
		}
		if slices.ContainsFunc(c.subnets.List(""), func(s Subnet) bool { return s.ACL == id }) {
			return dependent("networkAcl", id)
		}
		c.acls.Delete(id)
		c.tag(id, nil)
		return nil
	})
}

// PutACLEntry adds an entry to an ACL, or with replace changes the one that has
// its number. Errors: InvalidNetworkAclID.NotFound, InvalidParameterValue,
// NetworkAclEntryAlreadyExists, InvalidNetworkAclEntry.NotFound,
// NetworkAclEntryLimitExceeded.
func (n *Networks) PutACLEntry(ctx context.Context, id string, e ACLEntry, replace bool) error {
	if err := e.check(); err != nil {
		return err
	}
	return n.update(ctx, func(c *change) error {
		a, err := find(c.acls, KindACL, id)
		if err != nil {
			return err
		}
		left, exists := a.without(e.Number, e.Egress)
		switch {
		case replace && !exists:
			return noEntry(e.Number)
		case !replace && exists:
			return conflict("NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", e.Number)
		case len(left) >= maxACLEntries:
			return model.Errorf(model.Throttled, "NetworkAclEntryLimitExceeded", "The maximum number of network acl entries has been reached.")
		}
		a.Entries = append(left, e)
		slices.SortStableFunc(a.Entries, func(x, y ACLEntry) int {
			return cmp.Or(cmp.Compare(rank(x.Egress), rank(y.Egress)), cmp.Compare(x.Number, y.Number))
		})
		c.acls.Put(id, a)
		return nil
	})
}

const maxACLEntries = 80 // 40 each way, to which EC2's quota can be raised

func noEntry(number int) error {
	return model.Errorf(model.NotFound, "InvalidNetworkAclEntry.NotFound", "The network acl entry identified by %d does not exist.", number)
}

func (a ACL) without(number int, egress bool) (left []ACLEntry, exists bool) {
	left = slices.DeleteFunc(slices.Clone(a.Entries), func(e ACLEntry) bool { return e.Number == number && e.Egress == egress })
	return left, len(left) < len(a.Entries)
}

func (e *ACLEntry) check() error {
	if e.Number < 1 || e.Number > 32766 {
		return invalid("Value (%d) for parameter ruleNumber is invalid. Rule number must be from 1 to 32766.", e.Number)
	}
	if e.Action != "allow" && e.Action != "deny" {
		return invalid("Value (%.80s) for parameter ruleAction is invalid.", e.Action)
	}
	if (e.CIDR == "") == (e.IPv6CIDR == "") {
		return model.Errorf(model.Invalid, "MissingParameter", "The request must contain the parameter cidrBlock or ipv6CidrBlock")
	}
	for _, cidr := range []*string{&e.CIDR, &e.IPv6CIDR} {
		if *cidr == "" {
			continue
		}
		p, err := netip.ParsePrefix(*cidr)
		if err != nil || p.Addr().Is4() != (cidr == &e.CIDR) {
			return invalid("Value (%.80s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", *cidr)
		}
		*cidr = p.Masked().String()
	}
	return nil
}

// DeleteACLEntry removes an entry. Errors: InvalidNetworkAclID.NotFound,
// InvalidNetworkAclEntry.NotFound.
func (n *Networks) DeleteACLEntry(ctx context.Context, id string, number int, egress bool) error {
	return n.update(ctx, func(c *change) error {
		a, err := find(c.acls, KindACL, id)
		if err != nil {
			return err
		}
		left, exists := a.without(number, egress)
		if !exists || number == lastEntry {
			return noEntry(number)
		}
		a.Entries = left
		c.acls.Put(id, a)
		return nil
	})
}

// ReplaceACL gives the subnet of an association another ACL, and returns the new
// association. Errors: InvalidAssociationID.NotFound,
// InvalidNetworkAclID.NotFound, InvalidParameterValue.
func (n *Networks) ReplaceACL(ctx context.Context, association, acl string) (id string, err error) {
	id = newID("aclassoc")
	err = n.update(ctx, func(c *change) error {
		a, err := find(c.acls, KindACL, acl)
		if err != nil {
			return err
		}
		for _, s := range c.subnets.List("") {
			if s.ACLAssociation != association {
				continue
			}
			if s.VPC != a.VPC {
				return invalid("network ACL %s and subnet %s belong to different networks", acl, s.ID)
			}
			s.ACL, s.ACLAssociation = acl, id
			c.subnets.Put(s.ID, s)
			return nil
		}
		return model.Errorf(model.NotFound, "InvalidAssociationID.NotFound", "The association ID '%.80s' does not exist", association)
	})
	return id, err
}
