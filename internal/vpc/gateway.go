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

// NewNATGateway asks for a NAT gateway.
type NewNATGateway struct {
	Subnet, Allocation, Connectivity, PrivateIP string

	Tags []model.Tag
}

// CreateNATGateway makes a NAT gateway with an elastic address, or a private one
// without. Errors: InvalidSubnetID.NotFound, InvalidAllocationID.NotFound,
// Gateway.NotAttached, Resource.AlreadyAssociated, MissingParameter,
// InvalidParameterValue, NatGatewayLimitExceeded.
func (n *Networks) CreateNATGateway(ctx context.Context, req NewNATGateway) (g NATGateway, err error) {
	g = NATGateway{ID: newID("nat"), Subnet: req.Subnet, Connectivity: req.Connectivity, PrivateIP: req.PrivateIP, Interface: newID("eni"), CreatedAt: now()}
	switch {
	case g.Connectivity == "":
		g.Connectivity = "public"
	case g.Connectivity != "public" && g.Connectivity != "private":
		return g, invalid("Value (%.80s) for parameter connectivityType is invalid.", req.Connectivity)
	}
	if g.Connectivity == "public" && req.Allocation == "" {
		return g, model.Errorf(model.Invalid, "MissingParameter", "The request must contain the parameter AllocationId")
	}
	if g.Connectivity == "private" && req.Allocation != "" {
		return g, invalid("AllocationId can be given for public NAT gateways only.")
	}
	err = n.update(ctx, func(c *change) error {
		s, err := find(c.subnets, KindSubnet, req.Subnet)
		if err != nil {
			return err
		}
		count := len(c.natGateways.List(""))
		if err := limit(count, "NatGatewayLimitExceeded", "NAT gateways"); err != nil {
			return err
		}
		if g.VPC = s.VPC; g.PrivateIP == "" {
			g.PrivateIP = addressIn(s, count)
		}
		if g.Connectivity == "public" {
			if c.gatewayOf(s.VPC) == "" {
				return conflict("Gateway.NotAttached", "Network %s has no Internet gateway attached", s.VPC)
			}
			if err := c.associate(&g, req.Allocation); err != nil {
				return err
			}
		}
		c.natGateways.Put(g.ID, g)
		c.tag(g.ID, req.Tags)
		return nil
	})
	return g, err
}

// associate gives a NAT gateway an elastic address.
func (c *change) associate(g *NATGateway, allocation string) error {
	a, err := find(c.addresses, KindAddress, allocation)
	if err != nil {
		return err
	}
	if a.AssociationID != "" {
		return conflict("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", a.ID, a.AssociationID)
	}
	a.AssociationID, a.Interface, a.PrivateIP = newID("eipassoc"), g.Interface, g.PrivateIP
	g.Allocation, g.PublicIP, g.AddrAID = a.ID, a.IP, a.AssociationID
	c.addresses.Put(a.ID, a)
	return nil
}

// DeleteNATGateway removes a NAT gateway at once; its address can be released
// then. Errors: NatGatewayNotFound.
func (n *Networks) DeleteNATGateway(ctx context.Context, id string) error {
	return n.update(ctx, func(c *change) error {
		g, err := find(c.natGateways, KindNATGateway, id)
		if err != nil {
			return err
		}
		if a, ok := c.addresses.Get(g.Allocation); ok {
			c.addresses.Put(a.ID, Address{ID: a.ID, IP: a.IP})
		}
		c.natGateways.Delete(id)
		c.tag(id, nil)
		return nil
	})
}
