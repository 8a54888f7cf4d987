package vpc

import (
	"cmp"
	"slices"

	"neargate/internal/store"
)

// VPCs returns the VPCs by ID, as all lists of the package.
func (n *Networks) VPCs() []VPC { return n.vpcs.List("") }

// Subnets returns the subnets: the default VPC's first, in the order of their
// zones.
func (n *Networks) Subnets() []Subnet {
	all := n.subnets.List("")
	slices.SortStableFunc(all, func(a, b Subnet) int {
		return cmp.Or(cmp.Compare(rank(a.Default), rank(b.Default)), cmp.Compare(a.Zone, b.Zone))
	})
	return all
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// Gateways returns the internet gateways.
func (n *Networks) Gateways() []Gateway { return n.gateways.List("") }

// EgressGateways returns the egress-only internet gateways.
func (n *Networks) EgressGateways() []EgressGateway { return n.egressGateways.List("") }

// NATGateways returns the NAT gateways.
func (n *Networks) NATGateways() []NATGateway { return n.natGateways.List("") }

// RouteTables returns the route tables.
func (n *Networks) RouteTables() []RouteTable { return n.routeTables.List("") }

// Addresses returns the elastic addresses.
func (n *Networks) Addresses() []Address { return n.addresses.List("") }

// ACLs returns the network ACLs.
func (n *Networks) ACLs() []ACL { return n.acls.List("") }

// DHCPOptions returns the sets of DHCP options.
func (n *Networks) DHCPOptions() []DHCPOptions { return n.dhcpOptions.List("") }

// Endpoints returns the VPC endpoints.
func (n *Networks) Endpoints() []Endpoint { return n.endpoints.List("") }

// Groups returns the security groups.
func (n *Networks) Groups() []Group { return n.groups.List("") }

// VPC returns a VPC. Errors: InvalidVpcID.NotFound.
func (n *Networks) VPC(id string) (VPC, error) { return get(n.vpcs, KindVPC, id) }

// Group returns a security group. Errors: InvalidGroup.NotFound.
func (n *Networks) Group(id string) (Group, error) { return get(n.groups, KindSecurityGroup, id) }

func get[T any](t *store.Table[T], kind Kind, id string) (T, error) {
	v, ok := t.Get(id)
	if !ok {
		return v, kind.Missing(id)
	}
	return v, nil
}

// Subnet returns the VPC and the availability zone of a subnet.
func (n *Networks) Subnet(id string) (vpcID, zone string, ok bool) {
	s, ok := n.subnets.Get(id)
	return s.VPC, s.Zone, ok
}

// HasGateway reports whether an internet gateway is attached to a VPC.
func (n *Networks) HasGateway(vpcID string) bool {
	return slices.ContainsFunc(n.gateways.List(""), func(g Gateway) bool { return g.VPC == vpcID })
}

// HasVPC reports whether there is a VPC with the ID.
func (n *Networks) HasVPC(id string) bool {
	_, ok := n.vpcs.Get(id)
	return ok
}
