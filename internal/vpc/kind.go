package vpc

import (
	"crypto/rand"
	"encoding/hex"
	"strings"

	"neargate/internal/model"
	"neargate/internal/store"
)

// Kind is a type of resource, as in tags and ARNs.
type Kind string

// The kinds.
const (
	KindVPC           Kind = "vpc"
	KindSubnet        Kind = "subnet"
	KindGateway       Kind = "internet-gateway"
	KindEgressGateway Kind = "egress-only-internet-gateway"
	KindNATGateway    Kind = "natgateway"
	KindRouteTable    Kind = "route-table"
	KindAddress       Kind = "elastic-ip"
	KindACL           Kind = "network-acl"
	KindDHCPOptions   Kind = "dhcp-options"
	KindEndpoint      Kind = "vpc-endpoint"
	KindSecurityGroup Kind = "security-group"
	KindRule          Kind = "security-group-rule"
	KindInterface     Kind = "network-interface"
	KindPrefixList    Kind = "prefix-list"
)

// kindOf returns the kind that an ID's prefix stands for.
func kindOf(id string) (Kind, bool) {
	prefix, _, _ := strings.Cut(id, "-")
	kind, ok := map[string]Kind{
		"vpc": KindVPC, "subnet": KindSubnet, "igw": KindGateway, "eigw": KindEgressGateway, "nat": KindNATGateway, "rtb": KindRouteTable,
		"eipalloc": KindAddress, "acl": KindACL, "dopt": KindDHCPOptions, "vpce": KindEndpoint, "sg": KindSecurityGroup, "sgr": KindRule,
		"eni": KindInterface, "pl": KindPrefixList,
	}[prefix]
	return kind, ok
}

// KindOf returns the kind of resource that an ID belongs to, "" when none.
func KindOf(id string) Kind {
	kind, _ := kindOf(id)
	return kind
}

// Missing is EC2's error for a resource that there is none of.
func (k Kind) Missing(id string) error {
	code, format := "InvalidID", "The ID '%.80s' is not valid"
	switch k {
	case KindVPC:
		code, format = "InvalidVpcID.NotFound", "The vpc ID '%.80s' does not exist"
	case KindSubnet:
		code, format = "InvalidSubnetID.NotFound", "The subnet ID '%.80s' does not exist"
	case KindGateway:
		code, format = "InvalidInternetGatewayID.NotFound", "The internetGateway ID '%.80s' does not exist"
	case KindEgressGateway:
		code, format = "InvalidGatewayID.NotFound", "The eigw ID '%.80s' does not exist"
	case KindNATGateway:
		code, format = "NatGatewayNotFound", "The Nat Gateway %.80s was not found"
	case KindRouteTable:
		code, format = "InvalidRouteTableID.NotFound", "The routeTable ID '%.80s' does not exist"
	case KindAddress:
		code, format = "InvalidAllocationID.NotFound", "The allocation ID '%.80s' does not exist"
	case KindACL:
		code, format = "InvalidNetworkAclID.NotFound", "The networkAcl ID '%.80s' does not exist"
	case KindDHCPOptions:
		code, format = "InvalidDhcpOptionID.NotFound", "The dhcpOption ID '%.80s' does not exist"
	case KindEndpoint:
		code, format = "InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%.80s' does not exist"
	case KindSecurityGroup:
		code, format = "InvalidGroup.NotFound", "The security group '%.80s' does not exist"
	case KindRule:
		code, format = "InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%.80s' does not exist"
	case KindInterface:
		code, format = "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%.80s' does not exist"
	case KindPrefixList:
		code, format = "InvalidPrefixListID.NotFound", "The prefix list ID '%.80s' does not exist"
	}
	return model.Errorf(model.NotFound, code, format, id)
}

// find returns a record by its ID, or EC2's error for a missing one.
func find[T any](r store.Records[T], kind Kind, id string) (T, error) {
	v, ok := r.Get(id)
	if !ok {
		return v, kind.Missing(id)
	}
	return v, nil
}

// newID makes a random ID of 17 hexadecimal digits.
func newID(prefix string) string {
	b := make([]byte, 9)
	_, _ = rand.Read(b) // never fails
	return prefix + "-" + hex.EncodeToString(b)[:17]
}

// ARN returns the ARN of a resource.
func (n *Networks) ARN(kind Kind, id string) string {
	return "arn:aws:ec2:" + n.cfg.Place.Region + ":" + n.cfg.Place.Account + ":" + string(kind) + "/" + id
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterValue", format, args...)
}

func conflict(code, format string, args ...any) error {
	return model.Errorf(model.Conflict, code, format, args...)
}

// dependent is EC2's error for what cannot be deleted because of others; what is
// the resource as EC2 calls it there.
func dependent(what, id string) error {
	return conflict("DependencyViolation", "The %s '%s' has dependencies and cannot be deleted.", what, id)
}

// limit refuses one more of what is there in number already. EC2's quotas are
// smaller and can be raised; these keep the state bounded.
func limit(have int, code, what string) error {
	if have >= maxOfAKind {
		return model.Errorf(model.Throttled, code, "The maximum number of %s has been reached.", what)
	}
	return nil
}

const maxOfAKind = 500
