package vpc

import (
	"context"
	"slices"
	"strings"

	"neargate/internal/model"
)

// CreateDHCPOptions keeps a set of DHCP options. Errors: DhcpOptionsLimitExceeded.
func (n *Networks) CreateDHCPOptions(ctx context.Context, values []DHCPValue, tags []model.Tag) (d DHCPOptions, err error) {
	d = DHCPOptions{newID("dopt"), values}
	err = n.update(ctx, func(c *change) error {
		if err := limit(len(c.dhcpOptions.List("")), "DhcpOptionsLimitExceeded", "DHCP options"); err != nil {
			return err
		}
		c.dhcpOptions.Put(d.ID, d)
		c.tag(d.ID, tags)
		return nil
	})
	return d, err
}

// DeleteDHCPOptions removes a set of options that no VPC has. Errors:
// InvalidDhcpOptionID.NotFound, DependencyViolation.
func (n *Networks) DeleteDHCPOptions(ctx context.Context, id string) error {
	return n.update(ctx, func(c *change) error {
		if _, err := find(c.dhcpOptions, KindDHCPOptions, id); err != nil {
			return err
		}
		if id == n.home.dhcp || slices.ContainsFunc(c.vpcs.List(""), func(v VPC) bool { return v.DHCPOptions == id }) {
			return dependent("dhcpOptions", id)
		}
		c.dhcpOptions.Delete(id)
		c.tag(id, nil)
		return nil
	})
}

// CreateEndpoint keeps a VPC endpoint; its ID and time are filled in. Errors:
// InvalidVpcID.NotFound, InvalidServiceName, the NotFound codes of what it names,
// InvalidParameter, VpcEndpointLimitExceeded.
func (n *Networks) CreateEndpoint(ctx context.Context, e Endpoint, tags []model.Tag) (Endpoint, error) {
	e.ID, e.CreatedAt = newID("vpce"), now()
	if !strings.HasPrefix(e.Service, "com.amazonaws."+n.cfg.Place.Region+".") && !strings.HasPrefix(e.Service, "com.amazonaws.vpce.") {
		return e, model.Errorf(model.Invalid, "InvalidServiceName", "The Vpc Endpoint Service '%.120s' does not exist", e.Service)
	}
	err := n.update(ctx, func(c *change) error {
		if err := limit(len(c.endpoints.List("")), "VpcEndpointLimitExceeded", "VPC endpoints"); err != nil {
			return err
		}
		if err := c.checkEndpoint(e); err != nil {
			return err
		}
		c.endpoints.Put(e.ID, e)
		c.tag(e.ID, tags)
		return nil
	})
	return e, err
}

func (c *change) checkEndpoint(e Endpoint) error {
	if _, err := find(c.vpcs, KindVPC, e.VPC); err != nil {
		return err
	}
	of := func(id, vpc string, err error) error {
		if err == nil && vpc != e.VPC {
			return model.Errorf(model.Invalid, "InvalidParameter", "%s and VPC endpoint belong to different networks: %s", id, e.VPC)
		}
		return err
	}
	for _, id := range e.RouteTables {
		r, err := find(c.routeTables, KindRouteTable, id)
		if err := of(id, r.VPC, err); err != nil {
			return err
		}
	}
	for _, id := range e.Subnets {
		s, err := find(c.subnets, KindSubnet, id)
		if err := of(id, s.VPC, err); err != nil {
			return err
		}
	}
	for _, id := range e.Groups {
		g, err := find(c.groups, KindSecurityGroup, id)
		if err := of(id, g.VPC, err); err != nil {
			return err
		}
	}
	return nil
}

// ChangeEndpoint changes a VPC endpoint. Errors: InvalidVpcEndpointId.NotFound,
// the NotFound codes of what it names.
func (n *Networks) ChangeEndpoint(ctx context.Context, id string, fn func(e *Endpoint)) error {
	return n.update(ctx, func(c *change) error {
		e, err := find(c.endpoints, KindEndpoint, id)
		if err != nil {
			return err
		}
		fn(&e)
		if err := c.checkEndpoint(e); err != nil {
			return err
		}
		c.endpoints.Put(id, e)
		return nil
	})
}

// DeleteEndpoint removes a VPC endpoint. Errors: InvalidVpcEndpointId.NotFound.
func (n *Networks) DeleteEndpoint(ctx context.Context, id string) error {
	return n.update(ctx, func(c *change) error {
		if _, err := find(c.endpoints, KindEndpoint, id); err != nil {
			return err
		}
		c.endpoints.Delete(id)
		c.tag(id, nil)
		return nil
	})
}
