// Package ec2 is the face of as much of Amazon EC2 as a stack of ECS and a load
// balancer touches: one default VPC with its subnets, gateway and routes, and
// security groups.
//
// The network is derived from the configuration and cannot be changed; security
// groups and tags are kept in the store; who enforces the groups is told of their
// changes. The
// SDK's EC2 module is very large, so the shapes are written by hand here. The
// package is safe for concurrent use.
package ec2

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"sync"
	"time"

	"neargate/internal/aws/wire"
	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/store"
)

// Config says where the network is.
type Config struct {
	Place model.Place
	CIDR  netip.Prefix // of the VPC: the network that tasks get their addresses from; IPv4, /16 to /26
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

// Interface is the network interface of a task or a load balancer.
type Interface struct {
	ID             string // eni-…
	Address        netip.Addr
	PublicAddress  netip.Addr // zero: none
	MAC            string
	Subnet         string
	SecurityGroups []string
	Description    string
	AttachmentID   string
	Owner          string // who attached it: an account of AWS
	CreatedAt      time.Time
}

// EC2 keeps security groups and tags, and knows the network.
type EC2 struct {
	cfg Config
	net network

	mu     sync.Mutex // held by every operation that writes
	groups *store.Table[group]
	tags   *store.Table[tagged]
}

// Open reads EC2's state from db, and makes the default security group when
// there is none.
func Open(ctx context.Context, db *store.DB, cfg Config) (*EC2, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &EC2{cfg: cfg, net: newNetwork(cfg)}
	var err error
	if s.groups, err = store.NewTable[group](db, "ec2_security_groups"); err != nil {
		return nil, fmt.Errorf("open security groups: %w", err)
	}
	if s.tags, err = store.NewTable[tagged](db, "ec2_tags"); err != nil {
		return nil, fmt.Errorf("open tags: %w", err)
	}
	_, err = s.groups.Update(ctx, s.net.groupID, func(g group, exists bool) (group, error) {
		if !exists {
			g = s.net.defaultGroup()
		}
		return g, nil
	})
	if err != nil {
		return nil, fmt.Errorf("make default security group: %w", err)
	}
	return s, nil
}

// New gives the face over s.
func New(s *EC2) wire.Service {
	return wire.Service{
		SigningName: "ec2",
		Version:     "2016-11-15",
		Namespace:   "http://ec2.amazonaws.com/doc/2016-11-15/",
		EC2:         true,
		Status:      map[string]int{"DryRunOperation": http.StatusPreconditionFailed},
		Kept:        kept(),
		Operations: []wire.Operation{
			op("AuthorizeSecurityGroupEgress", s.authorizeSecurityGroupEgress),
			op("AuthorizeSecurityGroupIngress", s.authorizeSecurityGroupIngress),
			op("CreateSecurityGroup", s.createSecurityGroup),
			op("CreateTags", s.createTags),
			op("DeleteSecurityGroup", s.deleteSecurityGroup),
			op("DeleteTags", s.deleteTags),
			op("DescribeAccountAttributes", s.describeAccountAttributes),
			op("DescribeAvailabilityZones", s.describeAvailabilityZones),
			op("DescribeInternetGateways", s.describeInternetGateways),
			op("DescribeNetworkInterfaces", s.describeNetworkInterfaces),
			op("DescribeRegions", s.describeRegions),
			op("DescribeRouteTables", s.describeRouteTables),
			op("DescribeSecurityGroupRules", s.describeSecurityGroupRules),
			op("DescribeSecurityGroups", s.describeSecurityGroups),
			op("DescribeSubnets", s.describeSubnets),
			op("DescribeTags", s.describeTags),
			op("DescribeVpcAttribute", s.describeVpcAttribute),
			op("DescribeVpcs", s.describeVpcs),
			op("RevokeSecurityGroupEgress", s.revokeSecurityGroupEgress),
			op("RevokeSecurityGroupIngress", s.revokeSecurityGroupIngress),
		},
	}
}

// op is wire.Op for inputs that have the member DryRun, which all of EC2's do:
// with it set, nothing is done.
func op[In, Out any](name string, fn func(context.Context, *In) (*Out, error)) wire.Operation {
	return wire.Op(name, func(ctx context.Context, in *In) (*Out, error) {
		if reflect.ValueOf(in).Elem().FieldByName("DryRun").Bool() {
			return nil, model.Errorf(model.Invalid, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
		}
		return fn(ctx, in)
	})
}

// done is the answer of operations that have nothing else to tell.
type done struct {
	Return bool
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterValue", format, args...)
}

func missing(parameter string) error {
	return model.Errorf(model.Invalid, "MissingParameter", "The request must contain the parameter %s", parameter)
}

func notFound(code, format string, args ...any) error {
	return model.Errorf(model.NotFound, code, format, args...)
}
