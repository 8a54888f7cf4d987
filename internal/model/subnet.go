package model

import "net/netip"

// Subnet is a range of addresses in a VPC.
type Subnet struct {
	ID       string
	CIDR     netip.Prefix
	Reserved []netip.Addr // in use by what is no task, such as gateways
}

// Source is what a load balancer needs to connect to tasks from an address of its
// own among theirs.
type Source struct {
	Name           string
	Kept           netip.Addr // of an earlier process; zero: none
	Subnets        []Subnet   // as in TaskSpec
	SecurityGroups []string
	Public         bool // it faces the internet, so that tasks of other VPCs reach it
}
