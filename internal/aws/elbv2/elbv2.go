// Package elbv2 is the face of the load balancers: Elastic Load Balancing v2's
// API over package balancer. It keeps nothing of its own.
//
// It checks every input before anything changes, with AWS's codes, and refuses
// by name what the balancer does not do, instead of accepting and ignoring it.
package elbv2

import (
	"context"
	"net/netip"

	"neargate/internal/aws/wire"
	"neargate/internal/balancer"
	"neargate/internal/model"
	"neargate/internal/truststore"
)

// Config sets where the face's resources live and where subnets are looked up.
type Config struct {
	Place model.Place
	// Subnet returns the VPC and the availability zone of a subnet. nil takes
	// any subnet: all of one VPC, the n-th named in the n-th zone.
	Subnet func(id string) (vpcID, zone string, ok bool)
	// HasVPC reports whether there is a VPC with the ID. nil takes any.
	HasVPC func(id string) bool
	// HasGateway reports whether an internet gateway is attached to a VPC. nil:
	// to all of them.
	HasGateway func(vpcID string) bool
	// Holds reports whether an address is of a VPC's range, and of a subnet of the
	// VPC. nil: none is.
	Holds func(vpcID string, a netip.Addr) (within, placed bool)
	// Groups are the security groups. nil takes any, and none too.
	Groups groups
	// TrustStores are by what listeners verify clients, and Objects has what they
	// are made of.
	TrustStores *truststore.TrustStores
	Objects     objects
}

// objects are the contents of buckets.
type objects interface {
	// File returns the content of an object of at most limit bytes.
	File(ctx context.Context, bucket, key string, limit int64) (string, error)
}

// groups are the security groups that there are.
type groups interface {
	GroupVPC(id string) (vpcID string, ok bool)
	DefaultGroupOf(subnet string) string
}

type service struct {
	lb  *balancer.Balancer
	cfg Config
}

// New returns the face of a balancer.
func New(lb *balancer.Balancer, cfg Config) wire.Service {
	s := &service{lb: lb, cfg: cfg}
	return wire.Service{
		SigningName: "elasticloadbalancing",
		Version:     "2015-12-01",
		Namespace:   "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
		Refused:     refused(),
		Refuse:      wire.RefuseWith("InvalidConfigurationRequest"),
		Kept:        kept(),
		Operations: []wire.Operation{
			wire.Op("AddListenerCertificates", s.addListenerCertificates),
			wire.Op("AddTags", s.addTags),
			wire.Op("AddTrustStoreRevocations", s.addTrustStoreRevocations),
			wire.Op("CreateListener", s.createListener),
			wire.Op("CreateLoadBalancer", s.createLoadBalancer),
			wire.Op("CreateRule", s.createRule),
			wire.Op("CreateTargetGroup", s.createTargetGroup),
			wire.Op("CreateTrustStore", s.createTrustStore),
			wire.Op("DeleteListener", s.deleteListener),
			wire.Op("DeleteLoadBalancer", s.deleteLoadBalancer),
			wire.Op("DeleteRule", s.deleteRule),
			wire.Op("DeleteTargetGroup", s.deleteTargetGroup),
			wire.Op("DeleteTrustStore", s.deleteTrustStore),
			wire.Op("DeregisterTargets", s.deregisterTargets),
			wire.Op("DescribeAccountLimits", s.describeAccountLimits),
			wire.Op("DescribeCapacityReservation", s.describeCapacityReservation),
			wire.Op("DescribeListenerAttributes", s.describeListenerAttributes),
			wire.Op("DescribeListenerCertificates", s.describeListenerCertificates),
			wire.Op("DescribeListeners", s.describeListeners),
			wire.Op("DescribeLoadBalancerAttributes", s.describeLoadBalancerAttributes),
			wire.Op("DescribeLoadBalancers", s.describeLoadBalancers),
			wire.Op("DescribeRules", s.describeRules),
			wire.Op("DescribeSSLPolicies", s.describeSSLPolicies),
			wire.Op("DescribeTags", s.describeTags),
			wire.Op("DescribeTargetGroupAttributes", s.describeTargetGroupAttributes),
			wire.Op("DescribeTargetGroups", s.describeTargetGroups),
			wire.Op("DescribeTargetHealth", s.describeTargetHealth),
			wire.Op("DescribeTrustStoreAssociations", s.describeTrustStoreAssociations),
			wire.Op("DescribeTrustStoreRevocations", s.describeTrustStoreRevocations),
			wire.Op("DescribeTrustStores", s.describeTrustStores),
			wire.Op("ModifyListener", s.modifyListener),
			wire.Op("ModifyListenerAttributes", s.modifyListenerAttributes),
			wire.Op("ModifyLoadBalancerAttributes", s.modifyLoadBalancerAttributes),
			wire.Op("ModifyRule", s.modifyRule),
			wire.Op("ModifyTargetGroup", s.modifyTargetGroup),
			wire.Op("ModifyTargetGroupAttributes", s.modifyTargetGroupAttributes),
			wire.Op("ModifyTrustStore", s.modifyTrustStore),
			wire.Op("RegisterTargets", s.registerTargets),
			wire.Op("RemoveListenerCertificates", s.removeListenerCertificates),
			wire.Op("RemoveTags", s.removeTags),
			wire.Op("RemoveTrustStoreRevocations", s.removeTrustStoreRevocations),
			wire.Op("SetIpAddressType", s.setIPAddressType),
			wire.Op("SetRulePriorities", s.setRulePriorities),
			wire.Op("SetSecurityGroups", s.setSecurityGroups),
			wire.Op("SetSubnets", s.setSubnets),
		},
	}
}

// The limits of one load balancer and of the account (load-balancer-limits).
const (
	maxLoadBalancers = 50
	maxTargetGroups  = 3000
	maxListeners     = 50
	maxCertificates  = 25  // of all listeners, without default ones
	maxRules         = 100 // without default rules
	maxTargets       = 1000
	maxGroupsPerRule = 5
	maxConditions    = 5 // values of all conditions of a rule
	maxTags          = 50
)

// invalid is an input that breaks a rule of the API.
func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "ValidationError", format, args...)
}

// notHere is an input that AWS takes and this server does not.
func notHere(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidConfigurationRequest", format, args...)
}
