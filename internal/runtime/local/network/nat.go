package network

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

func natTable(id string) *nftables.Table {
	return &nftables.Table{Name: "neargate-" + id, Family: nftables.TableFamilyIPv4}
}

// Masquerade lets tasks reach the world beyond the machine under the machine's
// own address. It fails where the kernel has no nf_tables.
func (n *Network) Masquerade() error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open nf_tables: %w", err)
	}
	table := natTable(n.id)
	conn.AddTable(table)
	conn.FlushTable(table)
	chain := conn.AddChain(&nftables.Chain{
		Name: "postrouting", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	subnet := n.pool.subnet
	mask := make([]byte, 4)
	copy(mask, binaryutil.BigEndian.PutUint32(^uint32(0)<<(32-subnet.Bits())))
	ifname := make([]byte, unix.IFNAMSIZ)
	copy(ifname, BridgeName(n.id))
	conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		// ip saddr SUBNET oifname != BRIDGE masquerade
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: subnet.Masked().Addr().AsSlice()},
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: ifname},
		&expr.Masq{},
	}})
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("masquerade out-going traffic: %w", err)
	}
	return nil
}

func removeNAT(id string) error {
	conn, err := nftables.New()
	if err != nil {
		return nil //nolint:nilerr // no nf_tables, no table
	}
	conn.DelTable(natTable(id))
	err = conn.Flush()
	if err == nil || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP) ||
		errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return fmt.Errorf("remove NAT table: %w", err)
}

// forwardFile is the switch that makes the machine a router.
const forwardFile = "/proc/sys/net/ipv4/ip_forward"

// EnableForwarding turns IPv4 forwarding on. changed says that it was off.
func EnableForwarding() (changed bool, err error) {
	data, err := os.ReadFile(forwardFile)
	if err != nil {
		return false, fmt.Errorf("read ip_forward: %w", err)
	}
	if strings.TrimSpace(string(data)) != "0" {
		return false, nil
	}
	if err := os.WriteFile(forwardFile, []byte("1"), 0); err != nil {
		return false, fmt.Errorf("enable ip_forward: %w", err)
	}
	return true, nil
}

// DisableForwarding turns IPv4 forwarding off again.
func DisableForwarding() error {
	if err := os.WriteFile(forwardFile, []byte("0"), 0); err != nil {
		return fmt.Errorf("restore ip_forward: %w", err)
	}
	return nil
}
