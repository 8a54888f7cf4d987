package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"golang.org/x/sys/unix"

	"neargate/internal/decide/firewall"
)

// rendered is what the kernel's table of this instance says of its members.
type rendered struct {
	classes map[string]int // by the groups, as key makes of them
	links   *nftables.Set  // which task's link sends from which address
	members *nftables.Set  // the class of each address
}

func key(groups []string) string { return strings.Join(groups, " ") }

// addLocked lets a new member through. The usual one costs two elements; one
// with groups that no other has had changes the table as a whole.
func (n *Network) addLocked(a netip.Addr) error {
	m := n.members[a]
	if n.rendered == nil {
		return n.renderLocked()
	}
	class, known := n.rendered.classes[key(m.groups)]
	if !known {
		return n.renderLocked()
	}
	return n.change("let a member through", func(c *nftables.Conn) error {
		err := c.SetAddElements(n.rendered.members, []nftables.SetElement{classElement(a, class)})
		if m.link != "" {
			err = errors.Join(err, c.SetAddElements(n.rendered.links, []nftables.SetElement{linkElement(m.link, a)}))
		}
		return err
	})
}

// removeLocked takes back what addLocked did.
func (n *Network) removeLocked(a netip.Addr, m member) error {
	if n.rendered == nil {
		return nil // the next change leaves it out
	}
	return n.change("keep a former member out", func(c *nftables.Conn) error {
		class := n.rendered.classes[key(m.groups)]
		err := c.SetDeleteElements(n.rendered.members, []nftables.SetElement{classElement(a, class)})
		if m.link != "" {
			err = errors.Join(err, c.SetDeleteElements(n.rendered.links, []nftables.SetElement{linkElement(m.link, a)}))
		}
		return err
	})
}

// change carries out one transaction. After a failure the kernel's table is not
// known any more, and the next change replaces it.
func (n *Network) change(doing string, with func(*nftables.Conn) error) error {
	err := transact(doing, with)
	if err != nil {
		n.rendered = nil
	}
	return err
}

func classElement(a netip.Addr, class int) nftables.SetElement {
	return nftables.SetElement{Key: a.AsSlice(), Val: binaryutil.NativeEndian.PutUint32(uint32(class))}
}

func linkElement(link string, a netip.Addr) nftables.SetElement {
	return nftables.SetElement{Key: append(ifname(link), a.AsSlice()...)}
}

func ifname(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

// renderLocked replaces the instance's table as a whole, in one transaction.
func (n *Network) renderLocked() error {
	var sets [][]string
	classes := map[string]int{}
	for _, m := range n.members {
		if _, known := classes[key(m.groups)]; !known {
			classes[key(m.groups)] = len(sets)
			sets = append(sets, m.groups)
		}
	}
	t := &table{Table: &nftables.Table{Name: tableName(n.cfg.ID), Family: nftables.TableFamilyINet}, net: n}
	err := n.change("replace the packet filter", func(c *nftables.Conn) error {
		t.conn = c
		c.AddTable(t.Table) // so that there is one to delete
		c.DelTable(t.Table)
		c.AddTable(t.Table)
		return t.render(n.policy.Compile(sets), n.elements(classes))
	})
	if err != nil {
		return err
	}
	n.rendered = &rendered{classes: classes, links: t.links, members: t.members}
	return nil
}

// elements returns the members as elements of the two sets.
func (n *Network) elements(classes map[string]int) (e elements) {
	for a, m := range n.members {
		e.members = append(e.members, classElement(a, classes[key(m.groups)]))
		if m.link != "" {
			e.links = append(e.links, linkElement(m.link, a))
		}
	}
	return e
}

type elements struct{ links, members []nftables.SetElement }

// render writes the table. A packet goes through its base chain to depart, which
// asks the sender's class, then to arrive, which asks the receiver's.
func (t *table) render(classes []firewall.Class, e elements) error {
	for _, name := range []string{chainDepart, chainArrive, chainReceive} {
		t.chain(name)
	}
	var out, in []nftables.SetElement
	for i := range classes {
		t.chain(outOf(i))
		t.chain(into(i))
		out = append(out, jumpElement(i, outOf(i)))
		in = append(in, jumpElement(i, into(i)))
	}
	if err := t.sets(e, out, in); err != nil {
		return err
	}
	for i, c := range classes {
		for _, m := range c.Out {
			t.rule(outOf(i), slices.Concat(protocol(m), t.peer(m, destinationAddress), jump(chainArrive))...)
		}
		for _, m := range c.In {
			t.rule(into(i), slices.Concat(protocol(m), t.peer(m, sourceAddress), accept())...)
		}
	}
	t.asks()
	t.spoofing()
	t.machine()
	t.forward()
	t.masquerade()
	return nil
}

func outOf(class int) string { return fmt.Sprintf("out-%d", class) }
func into(class int) string  { return fmt.Sprintf("in-%d", class) }
