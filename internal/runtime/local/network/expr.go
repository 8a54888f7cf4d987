package network

import (
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"neargate/internal/decide/firewall"
)

// address is where an IPv4 header has one.
type address uint32

const (
	sourceAddress      address = 12
	destinationAddress address = 16
)

// second is the register after a link's name, which fills the first; afterAddress
// the one after an address.
const (
	second       = unix.NFT_REG_2
	afterAddress = unix.NFT_REG32_01
)

func accept() []expr.Any { return []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}} }
func drop() []expr.Any   { return []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}} }

// jump goes on in a chain and does not come back.
func jump(chain string) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: expr.VerdictGoto, Chain: chain}}
}

// call goes on in a chain and comes back where that does not decide.
func call(chain string) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: chain}}
}

func (a address) load(register uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: uint32(a), Len: 4}
}

// link compares the beginning of a link's name.
func link(key expr.MetaKey, op expr.CmpOp, prefix string) []expr.Any {
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Op: op, Register: 1, Data: []byte(prefix)}}
}

func incoming(prefix string) []expr.Any { return link(expr.MetaKeyIIFNAME, expr.CmpOpEq, prefix) }

func notIncoming(prefix string) []expr.Any { return link(expr.MetaKeyIIFNAME, expr.CmpOpNeq, prefix) }

func outgoing(prefix string) []expr.Any { return link(expr.MetaKeyOIFNAME, expr.CmpOpEq, prefix) }

func notOutgoing(prefix string) []expr.Any { return link(expr.MetaKeyOIFNAME, expr.CmpOpNeq, prefix) }

// notIncomingBy compares the whole name of a link.
func notIncomingBy(name string) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}, &expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: ifname(name)}}
}

func family(op expr.CmpOp) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1}, &expr.Cmp{Op: op, Register: 1, Data: []byte{unix.NFPROTO_IPV4}},
	}
}

func onlyIPv4() []expr.Any { return family(expr.CmpOpEq) }
func notIPv4() []expr.Any  { return family(expr.CmpOpNeq) }

// within matches an address of the header in a network.
func within(a address, in netip.Prefix) []expr.Any {
	if in.Bits() == 0 {
		return nil
	}
	out := append(onlyIPv4(), a.load(1))
	if in.Bits() < 32 {
		out = append(out, &expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: net.CIDRMask(in.Bits(), 32), Xor: make([]byte, 4)})
	}
	return append(out, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: in.Masked().Addr().AsSlice()})
}

// foreignSource matches a packet whose link and sender are no element of a set.
func foreignSource(set string) []expr.Any {
	return append(onlyIPv4(), &expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}, sourceAddress.load(second),
		&expr.Lookup{SourceRegister: 1, SetName: set, Invert: true})
}

// toElement matches a TCP packet whose destination is an element of a set of
// addresses with ports.
func toElement(set string) []expr.Any {
	return append(onlyIPv4(),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		destinationAddress.load(1), &expr.Payload{DestRegister: afterAddress, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Lookup{SourceRegister: 1, SetName: set})
}

// memberOf matches an address of the header that a class has.
func memberOf(a address, class int) []expr.Any {
	return append(onlyIPv4(), a.load(1), &expr.Lookup{SourceRegister: 1, SetName: setOf(class)})
}

// peer matches the other side of a rule.
func peer(m firewall.Match, side address) []expr.Any {
	if m.Network.IsValid() {
		return within(side, m.Network)
	}
	return memberOf(side, m.Class)
}

// state matches connections in one of the states.
func state(bits uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

// protocol matches the protocol of a rule, and its ports or its ICMP type and
// code.
func protocol(m firewall.Match) []expr.Any {
	if m.Protocol == firewall.Any {
		return nil
	}
	out := []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{byte(m.Protocol)}},
	}
	transport := func(offset, length uint32) expr.Any {
		return &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: length}
	}
	switch m.Protocol {
	case firewall.TCP, firewall.UDP:
		low, high := binaryutil.BigEndian.PutUint16(uint16(m.From)), binaryutil.BigEndian.PutUint16(uint16(m.To))
		if m.From == m.To {
			return append(out, transport(2, 2), &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: low})
		}
		out = append(out, transport(2, 2), &expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: low, ToData: high})
	case firewall.ICMP:
		for i, want := range []int{m.From, m.To} {
			if want != firewall.Any {
				out = append(out, transport(uint32(i), 1), &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{byte(want)}})
			}
		}
	}
	return slices.Clip(out)
}
