// Package vpc keeps the networks of the account: VPCs with their subnets,
// gateways, route tables, network ACLs and security groups, and elastic
// addresses.
//
// The default VPC is the server's own network, which tasks get their addresses
// from. Others are records: they are made, changed, read back and deleted by EC2's
// rules. A task in one of their subnets has an address of that subnet where the
// machine has no other use for its range, and of the default VPC's network
// elsewhere (see Ranges). What is enforced are security groups, and that VPCs are
// apart; who enforces it is told of changes.
//
// The package is safe for concurrent use.
package vpc

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/store"
)

// Config says where the networks are.
type Config struct {
	Place model.Place
	CIDR  netip.Prefix // of the default VPC: the server's own network; IPv4, /16 to /26
	// Interfaces returns the network interfaces of running tasks and of load
	// balancers; nil means none.
	Interfaces func() []Interface
	// OnPolicy is called after security groups have changed, with all of them,
	// and returns when they are in force. May be nil.
	OnPolicy func(firewall.Policy) error
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if !c.CIDR.IsValid() || !c.CIDR.Addr().Is4() || c.CIDR.Bits() < 16 || c.CIDR.Bits() > 26 {
		return fmt.Errorf("CIDR: %v is not an IPv4 network from /16 to /26", c.CIDR)
	}
	return nil
}

// Networks keeps the account's networks.
type Networks struct {
	cfg  Config
	home home
	db   *store.DB

	vpcs           *store.Table[VPC]
	subnets        *store.Table[Subnet]
	gateways       *store.Table[Gateway]
	egressGateways *store.Table[EgressGateway]
	natGateways    *store.Table[NATGateway]
	routeTables    *store.Table[RouteTable]
	addresses      *store.Table[Address]
	acls           *store.Table[ACL]
	dhcpOptions    *store.Table[DHCPOptions]
	endpoints      *store.Table[Endpoint]
	groups         *store.Table[Group]
	tags           *store.Table[Tagged]

	mu sync.Mutex // held while security groups change and are put in force, so that the last change is in force last
}

// Open reads the networks from db, and makes the default VPC when there is none.
func Open(ctx context.Context, db *store.DB, cfg Config) (*Networks, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := &Networks{cfg: cfg, db: db, home: newHome(cfg)}
	if err := n.openTables(); err != nil {
		return nil, err
	}
	if err := n.updateBeside(ctx, nil, n.settle); err != nil { // those with interfaces may need the networks
		return nil, fmt.Errorf("make the default VPC: %w", err)
	}
	return n, nil
}

func (n *Networks) openTables() error {
	for _, open := range []func() error{
		table(n.db, "ec2_vpcs", &n.vpcs),
		table(n.db, "ec2_subnets", &n.subnets),
		table(n.db, "ec2_internet_gateways", &n.gateways),
		table(n.db, "ec2_egress_gateways", &n.egressGateways),
		table(n.db, "ec2_nat_gateways", &n.natGateways),
		table(n.db, "ec2_route_tables", &n.routeTables),
		table(n.db, "ec2_addresses", &n.addresses),
		table(n.db, "ec2_network_acls", &n.acls),
		table(n.db, "ec2_dhcp_options", &n.dhcpOptions),
		table(n.db, "ec2_vpc_endpoints", &n.endpoints),
		table(n.db, "ec2_security_groups", &n.groups),
		table(n.db, "ec2_tags", &n.tags),
	} {
		if err := open(); err != nil {
			return err
		}
	}
	return nil
}

func table[T any](db *store.DB, name string, into **store.Table[T]) func() error {
	return func() (err error) {
		if *into, err = store.NewTable[T](db, name); err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
		return nil
	}
}

// change is a transaction over the networks. Its methods are the rules by which
// they change.
type change struct {
	n     *Networks
	inUse []Interface // as they were when the transaction was asked for

	vpcs           store.Records[VPC]
	subnets        store.Records[Subnet]
	gateways       store.Records[Gateway]
	egressGateways store.Records[EgressGateway]
	natGateways    store.Records[NATGateway]
	routeTables    store.Records[RouteTable]
	addresses      store.Records[Address]
	acls           store.Records[ACL]
	dhcpOptions    store.Records[DHCPOptions]
	endpoints      store.Records[Endpoint]
	groups         store.Records[Group]
	tags           store.Records[Tagged]
}

// update runs fn as a transaction. The interfaces are read before it, as they
// belong to others, whose tables fn must not read.
func (n *Networks) update(ctx context.Context, fn func(c *change) error) error {
	return n.updateBeside(ctx, n.Interfaces(), fn)
}

func (n *Networks) updateBeside(ctx context.Context, inUse []Interface, fn func(c *change) error) error {
	return n.db.Update(ctx, func(tx *store.Tx) error {
		return fn(&change{
			n: n, inUse: inUse,
			vpcs: n.vpcs.In(tx), subnets: n.subnets.In(tx), gateways: n.gateways.In(tx), egressGateways: n.egressGateways.In(tx),
			natGateways: n.natGateways.In(tx), routeTables: n.routeTables.In(tx), addresses: n.addresses.In(tx), acls: n.acls.In(tx),
			dhcpOptions: n.dhcpOptions.In(tx), endpoints: n.endpoints.In(tx), groups: n.groups.In(tx), tags: n.tags.In(tx),
		})
	})
}

// enforced is update for changes of security groups: it returns when they are in
// force.
func (n *Networks) enforced(ctx context.Context, fn func(c *change) error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.update(ctx, fn); err != nil {
		return err
	}
	if n.cfg.OnPolicy == nil {
		return nil
	}
	return n.cfg.OnPolicy(n.Policy())
}

// Place returns where the networks are.
func (n *Networks) Place() model.Place { return n.cfg.Place }

// now is a second, as EC2 shows times.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
