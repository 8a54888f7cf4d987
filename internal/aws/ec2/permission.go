package ec2

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"neargate/internal/vpc"
)

// ipPermission is how requests and answers show rules: one protocol and port
// range for several peers.
type ipPermission struct {
	IPProtocol    string
	FromPort      *int
	ToPort        *int
	Groups        []groupPair
	IPRanges      []ipRange
	Ipv6Ranges    []ipv6Range
	PrefixListIDs []prefixList
}

type groupPair struct {
	UserID, GroupID, GroupName, Description string
}

type ipRange struct {
	CidrIP, Description string
}

type ipv6Range struct {
	CidrIpv6, Description string
}

type prefixList struct {
	PrefixListID, Description string
}

// add shows a rule's peer.
func (p *ipPermission) add(r vpc.Rule, account string) {
	switch {
	case r.Peer.CIDR4 != "":
		p.IPRanges = append(p.IPRanges, ipRange{r.Peer.CIDR4, r.Description})
	case r.Peer.CIDR6 != "":
		p.Ipv6Ranges = append(p.Ipv6Ranges, ipv6Range{r.Peer.CIDR6, r.Description})
	case r.Peer.Group != "":
		p.Groups = append(p.Groups, groupPair{UserID: account, GroupID: r.Peer.Group, Description: r.Description})
	default:
		p.PrefixListIDs = append(p.PrefixListIDs, prefixList{r.Peer.PrefixList, r.Description})
	}
}

// rules reads permissions of a group of a VPC into rules without IDs. Errors:
// MissingParameter, InvalidParameterValue, InvalidGroup.NotFound,
// InvalidGroupId.Malformed, InvalidPrefixListID.NotFound.
func (s *service) rules(permissions []ipPermission, vpcID string, egress bool) ([]vpc.Rule, error) {
	if len(permissions) == 0 {
		return nil, missing("ipPermissions")
	}
	var out []vpc.Rule
	for _, p := range permissions {
		base := vpc.Rule{Egress: egress}
		var err error
		if base.Protocol, err = protocol(p.IPProtocol); err != nil {
			return nil, err
		}
		if base.From, base.To, err = ports(base.Protocol, p.FromPort, p.ToPort); err != nil {
			return nil, err
		}
		before := len(out)
		if out, err = s.peers(out, base, p, vpcID); err != nil {
			return nil, err
		}
		if len(out) == before {
			return nil, invalid("Either a CIDR, a security group or a prefix list must be given for protocol %s.", base.Protocol)
		}
	}
	return out, nil
}

func (s *service) peers(out []vpc.Rule, base vpc.Rule, p ipPermission, vpcID string) ([]vpc.Rule, error) {
	with := func(to vpc.Peer, description string) {
		r := base
		r.Peer, r.Description = to, description
		out = append(out, r)
	}
	for _, x := range p.IPRanges {
		cidr, err := cidr(x.CidrIP, netip.Addr.Is4)
		if err != nil {
			return nil, err
		}
		with(vpc.Peer{CIDR4: cidr}, x.Description)
	}
	for _, x := range p.Ipv6Ranges {
		cidr, err := cidr(x.CidrIpv6, netip.Addr.Is6)
		if err != nil {
			return nil, err
		}
		with(vpc.Peer{CIDR6: cidr}, x.Description)
	}
	for _, x := range p.Groups {
		g, err := s.n.ResolveGroup(x.GroupID, x.GroupName, vpcID)
		if err != nil {
			return nil, err
		}
		with(vpc.Peer{Group: g.ID}, x.Description)
	}
	for _, x := range p.PrefixListIDs {
		if err := s.n.CheckPrefixList(x.PrefixListID); err != nil {
			return nil, err
		}
		with(vpc.Peer{PrefixList: x.PrefixListID}, x.Description)
	}
	return out, nil
}

// protocol returns a protocol by the name EC2 shows.
func protocol(text string) (string, error) {
	text = strings.ToLower(text)
	if named := map[string]string{"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}[text]; named != "" {
		return named, nil
	}
	if slices.Contains([]string{"tcp", "udp", "icmp", "icmpv6", "-1"}, text) {
		return text, nil
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n <= 255 {
		return text, nil
	}
	if text == "" {
		return "", missing("ipProtocol")
	}
	return "", invalid("Invalid value '%.80s' for IP protocol. Unknown protocol.", text)
}

// ports checks a port range. Protocols without ports take any.
func ports(protocol string, from, to *int) (low, high int, err error) {
	tcp := protocol == "tcp" || protocol == "udp"
	switch {
	case !tcp && !strings.HasPrefix(protocol, "icmp"):
		return -1, -1, nil
	case from == nil || to == nil:
		if tcp {
			return 0, 0, invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
		}
		return -1, -1, nil
	case tcp && (*from < 0 || *to > 65535 || *from > *to):
		return 0, 0, invalid("Invalid value '%d-%d' for portRange. Must be from 0 to 65535, the lower port first.", *from, *to)
	case !tcp && (*from < -1 || *from > 255 || *to < -1 || *to > 255):
		return 0, 0, invalid("ICMP type and code must be from -1 to 255.")
	}
	return *from, *to, nil
}

// cidr checks a network and cuts its host bits, as EC2 does.
func cidr(text string, family func(netip.Addr) bool) (string, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !family(p.Addr()) {
		return "", invalid("CIDR block %.80s is malformed", text)
	}
	return p.Masked().String(), nil
}
