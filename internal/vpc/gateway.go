package vpc

import (
	"context"
	"slices"

	"neargate/internal/model"
)

// CreateGateway makes an internet gateway, attached to no VPC. Errors:
// InternetGatewayLimitExceeded.
func (n *Networks) CreateGateway(ctx context.Context, tags []model.Tag) (g Gateway, err error) {
	g = Gateway{ID: newID("igw")}
	err = n.update(ctx, func(c *change) error {
		if err := limit(len(c.gateways.List("")), "InternetGatewayLimitExceeded", "internet gateways"); err != nil {
			return err
		}
		c.gateways.Put(g.ID, g)
		c.tag(g.ID, tags)
		return nil
	})
	return g, err
}

// AttachGateway attaches an internet gateway to a VPC. Errors:
// InvalidInternetGatewayID.NotFound, InvalidVpcID.NotFound,
// Resource.AlreadyAssociated, InvalidParameterValue.
func (n *Networks) AttachGateway(ctx context.Context, id, vpc string) error {
	return n.update(ctx, func(c *change) error {
		g, err := find(c.gateways, KindGateway, id)
		if err != nil {
			return err
		}
		if _, err := find(c.vpcs, KindVPC, vpc); err != nil {
			return err
		}
		if g.VPC != "" {
			return conflict("Resource.AlreadyAssociated", "resource %s is already attached to network %s", id, g.VPC)
		}
		if c.gatewayOf(vpc) != "" {
			return invalid("Network %s already has an internet gateway attached", vpc)
		}
		g.VPC = vpc
		c.gateways.Put(id, g)
		return nil
	})
}

// gatewayOf returns the internet gateway of a VPC, "" for none.
func (c *change) gatewayOf(vpc string) string {
	for _, g := range c.gateways.List("") {
		if g.VPC == vpc {
			return g.ID
		}
	}
	return ""
}

// DetachGateway detaches an internet gateway from its VPC. Errors:
// InvalidInternetGatewayID.NotFound, Gateway.NotAttached, DependencyViolation.
func (n *Networks) DetachGateway(ctx context.Context, id, vpc string) error {
	return n.update(ctx, func(c *change) error {
		g, err := find(c.gateways, KindGateway, id)
		if err != nil {
			return err
		}
		if g.VPC == "" || g.VPC != vpc {
			return conflict("Gateway.NotAttached", "resource %s is not attached to network %s", id, vpc)
		}
		if slices.ContainsFunc(c.natGateways.List(""), func(g NATGateway) bool { return g.VPC == vpc && g.PublicIP != "" }) {
			return conflict("DependencyViolation", "Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", vpc)
		}
		g.VPC = ""
		c.gateways.Put(id, g)
		return nil
	})
}

// DeleteGateway removes an internet gateway that is attached to no VPC. Errors:
// InvalidInternetGatewayID.NotFound, DependencyViolation.
func (n *Networks) DeleteGateway(ctx context.Context, id string) error {
	return n.update(ctx, func(c *change) error {
		g, err := find(c.gateways, KindGateway, id)
		if err != nil {
			return err
		}
		if g.VPC != "" {
			return dependent("internetGateway", id)
		}
		c.gateways.Delete(id)
		c.tag(id, nil)
		return nil
	})
}

// CreateEgressGateway makes an egress-only internet gateway. Errors:
// InvalidVpcID.NotFound, EgressOnlyInternetGatewayLimitExceeded.
func (n *Networks) CreateEgressGateway(ctx context.Context, vpc string, tags []model.Tag) (g EgressGateway, err error) {
	g = EgressGateway{newID("eigw"), vpc}
	err = n.update(ctx, func(c *change) error {
		if _, err := find(c.vpcs, KindVPC, vpc); err != nil {
			return err
		}
		if err := limit(len(c.egressGateways.List("")), "EgressOnlyInternetGatewayLimitExceeded", "egress-only internet gateways"); err != nil {
			return err
		}
		c.egressGateways.Put(g.ID, g)
		c.tag(g.ID, tags)
		return nil
	})
	return g, err
}

// DeleteEgressGateway removes an egress-only internet gateway. Errors:
// InvalidGatewayID.NotFound.
func (n *Networks) DeleteEgressGateway(ctx context.Context, id string) error {
	return n.update(ctx, func(c *change) error {
		if _, err := find(c.egressGateways, KindEgressGateway, id); err != nil {
			return err
		}
		c.egressGateways.Delete(id)
		c.tag(id, nil)
		return nil
	})
}
