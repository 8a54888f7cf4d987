package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
)

// forwardFile is the switch that makes the machine a router.
const forwardFile = "/proc/sys/net/ipv4/ip_forward"

// guardTable keeps the machine from routing between its other links while
// forwarding is on because of us.
const guardTable = "neargate"

// before is what the machine looked like before forwarding was switched on.
type before struct {
	Links  []string // they did not forward, and do not now
	Tables []string // that have rules for what is forwarded
}

// EnableForwarding switches IPv4 forwarding on. Where it was off, the links that
// the machine had go on not to forward among each other, and mark is written,
// which says so also after a crash. Hold the machine-wide lock.
func EnableForwarding(mark string) error {
	on, err := forwarding()
	if err != nil {
		return err
	}
	was, err := readMark(mark)
	switch {
	case !on:
		if was, err = writeMark(mark); err != nil {
			return err
		}
	case errors.Is(err, fs.ErrNotExist): // somebody else's
		return nil
	case err != nil:
		return err
	}
	if err := guard(was.Links); err != nil {
		return err
	}
	if err := os.WriteFile(forwardFile, []byte("1"), 0); err != nil {
		return fmt.Errorf("switch on forwarding: %w", err)
	}
	return nil
}

// RestoreForwarding ends what EnableForwarding began, if it did: forwarding is
// switched off, unless others have come to rely on it.
func RestoreForwarding(mark string) error {
	was, err := readMark(mark)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := lookAround()
	if err != nil {
		return err
	}
	if !now.more(was) {
		if err := os.WriteFile(forwardFile, []byte("0"), 0); err != nil {
			return fmt.Errorf("switch off forwarding: %w", err)
		}
	}
	if err := removeTable(guardTable); err != nil {
		return err
	}
	if err := os.Remove(mark); err != nil {
		return fmt.Errorf("forget that forwarding was off: %w", err)
	}
	return nil
}

func forwarding() (bool, error) {
	data, err := os.ReadFile(forwardFile)
	if err != nil {
		return false, fmt.Errorf("read ip_forward: %w", err)
	}
	return strings.TrimSpace(string(data)) != "0", nil
}

// writeMark notes what the machine looks like that does not forward.
func writeMark(path string) (before, error) {
	was, err := lookAround()
	if err != nil {
		return was, err
	}
	data, _ := json.Marshal(was) // strings do not fail
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return was, fmt.Errorf("note that forwarding was off: %w", err)
	}
	return was, nil
}

func readMark(path string) (was before, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return was, fmt.Errorf("read what forwarded before: %w", err)
	}
	if err := json.Unmarshal(data, &was); err != nil {
		return was, fmt.Errorf("read %s: %w", path, err)
	}
	return was, nil
}

// lookAround returns the links and filters of others.
func lookAround() (b before, err error) {
	names, err := linkNames()
	if err != nil {
		return b, err
	}
	for _, name := range names {
		if name != "lo" && !strings.HasPrefix(name, HomeName("")) {
			b.Links = append(b.Links, name)
		}
	}
	chains, err := forwardChains()
	if err != nil {
		return b, err
	}
	for _, c := range chains {
		b.Tables = append(b.Tables, fmt.Sprint(c.Table.Family, " ", c.Table.Name))
	}
	slices.Sort(b.Links)
	slices.Sort(b.Tables)
	b.Tables = slices.Compact(b.Tables)
	return b, nil
}

// more reports whether there is a link or a filter that there was not.
func (b before) more(was before) bool {
	since := func(now, then []string) bool {
		return slices.ContainsFunc(now, func(s string) bool { return !slices.Contains(then, s) })
	}
	return since(b.Links, was.Links) || since(b.Tables, was.Tables)
}

// forwardChains lists the chains of others that forwarded packets go through.
func forwardChains() ([]*nftables.Chain, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("list packet filters: %w", err)
	}
	all, err := c.ListChains()
	if err != nil {
		return nil, fmt.Errorf("list packet filters: %w", err)
	}
	return slices.DeleteFunc(all, func(c *nftables.Chain) bool {
		return c.Hooknum == nil || *c.Hooknum != *nftables.ChainHookForward ||
			c.Table.Name == guardTable || strings.HasPrefix(c.Table.Name, tableName("")) ||
			(c.Table.Family != nftables.TableFamilyIPv4 && c.Table.Family != nftables.TableFamilyINet)
	}), nil
}

// DroppedBy returns the filter of another program that drops what tasks send
// beyond the machine and to each other unless told otherwise, as Docker's does;
// "" if there is none.
func DroppedBy() string {
	chains, err := forwardChains()
	if err != nil {
		return ""
	}
	for _, c := range chains {
		if c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
			return c.Table.Name + " " + c.Name
		}
	}
	return ""
}

// guard drops what is forwarded from one of the links to another.
func guard(links []string) error {
	table := &nftables.Table{Name: guardTable, Family: nftables.TableFamilyINet}
	policy := nftables.ChainPolicyAccept
	chain := &nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter, Policy: &policy,
	}
	set := &nftables.Set{Table: table, ID: 1, Name: "links", KeyType: nftables.TypeIFName, KeyByteOrder: binaryutil.NativeEndian}
	var elements []nftables.SetElement
	for _, l := range links {
		elements = append(elements, nftables.SetElement{Key: ifname(l)})
	}
	return transact("keep the machine from routing", func(c *nftables.Conn) error {
		c.AddTable(table)
		c.DelTable(table)
		c.AddTable(table)
		c.AddChain(chain)
		if err := c.AddSet(set, elements); err != nil {
			return err
		}
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
			&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}, &expr.Lookup{SourceRegister: 1, SetName: set.Name},
			&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1}, &expr.Lookup{SourceRegister: 1, SetName: set.Name},
			&expr.Verdict{Kind: expr.VerdictDrop},
		}})
		return nil
	})
}
