package vpc

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"neargate/internal/model"
)

// NewNATGateway asks for a NAT gateway.
type NewNATGateway struct {
	Subnet, Allocation, Connectivity, PrivateIP string

	Tags []model.Tag
}

// CreateNATGateway makes a NAT gateway with an elastic address, or a private one
// without. Errors: InvalidSubnetID.NotFound, InvalidAllocationID.NotFound,
// Gateway.NotAttached, Resource.AlreadyAssociated, MissingParameter,
// InvalidParameterValue, InvalidIPAddress.InUse,
// InsufficientFreeAddressesInSubnet, NatGatewayLimitExceeded.
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
		if err := limit(len(c.natGateways.List("")), "NatGatewayLimitExceeded", "NAT gateways"); err != nil {
			return err
		}
		g.VPC = s.VPC
		if err := c.settleIn(s, &g); err != nil {
			return err
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

// settleIn gives a NAT gateway its address in a subnet: the one that it asks for,
// or one from the subnet's end, where no interface has it.
func (c *change) settleIn(s Subnet, g *NATGateway) error {
	p, err := netip.ParsePrefix(s.CIDR)
	if err != nil {
		return fmt.Errorf("read the range of %s: %w", s.ID, err)
	}
	inUse := func(a netip.Addr) bool {
		return slices.ContainsFunc(c.inUse, func(i Interface) bool { return i.Address == a })
	}
	if g.PrivateIP != "" {
		a, err := netip.ParseAddr(g.PrivateIP)
		switch {
		case err != nil || !p.Contains(a):
			return invalid("Address %.80s does not fall within the subnet's address range", g.PrivateIP)
		case reserved(p, a):
			return invalid("Address %s is in subnet's reserved address range.", a)
		case inUse(a):
			return conflict("InvalidIPAddress.InUse", "Address %s is in use.", a)
		}
		return nil
	}
	for a := lastOf(p).Prev(); p.Contains(a) && !reserved(p, a); a = a.Prev() {
		if !inUse(a) {
			g.PrivateIP = a.String()
			return nil
		}
	}
	return conflict("InsufficientFreeAddressesInSubnet", "Subnet has insufficient free addresses to create this NAT gateway")
}

// reserved reports whether AWS keeps an address of a subnet for itself: the first
// four and the last.
func reserved(p netip.Prefix, a netip.Addr) bool {
	first := p.Addr()
	for range 4 {
		first = first.Next()
	}
	return a.Less(first) || a == lastOf(p)
}

// lastOf returns the last address of an IPv4 network.
func lastOf(p netip.Prefix) netip.Addr {
	a4 := p.Masked().Addr().As4()
	binary.BigEndian.PutUint32(a4[:], binary.BigEndian.Uint32(a4[:])|uint32(1<<(32-p.Bits())-1))
	return netip.AddrFrom4(a4)
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
