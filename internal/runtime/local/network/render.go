package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"neargate/internal/decide/firewall"
)

// rendered is what the kernel's table of this instance says of its members.
type rendered struct {
	classes map[string]int  // by the groups, as key makes of them
	links   *nftables.Set   // which task's link sends from which address
	members []*nftables.Set // the addresses of each class
	doors   *nftables.Set   // the addresses and ports of load balancers
	// former are the kinds of members that have gone. Their elements stay: to
	// take one out costs the kernel 10 ms, and nobody has the address.
	former map[netip.Addr]firewall.Kind
}

func key(k firewall.Kind) string { return fmt.Sprint(strings.Join(k.Groups, " "), k.Public) }

// addLocked lets a new member through. The usual one costs two elements; one
// with groups that no other has had, or whose address a member with other groups
// has had, changes the table as a whole.
func (n *Network) addLocked(a netip.Addr) error {
	if n.rendered == nil {
		return n.renderLocked()
	}
	m := n.members[a]
	class, known := n.rendered.classes[key(m.kind)]
	former, used := n.rendered.former[a]
	if !known || (used && key(former) != key(m.kind)) {
		return n.renderLocked()
	}
	delete(n.rendered.former, a)
	return n.change("let a member through", func(c *nftables.Conn) error {
		err := c.SetAddElements(n.rendered.members[class], []nftables.SetElement{addressElement(a)})
		if m.link != "" {
			err = errors.Join(err, c.SetAddElements(n.rendered.links, []nftables.SetElement{linkElement(m.link, a)}))
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

func addressElement(a netip.Addr) nftables.SetElement {
	return nftables.SetElement{Key: a.AsSlice()}
}

func linkElement(link string, a netip.Addr) nftables.SetElement {
	return nftables.SetElement{Key: append(ifname(link), a.AsSlice()...)}
}

// doorElement fills the port's half up to the four bytes of a register.
func doorElement(a netip.Addr, port uint16) nftables.SetElement {
	return nftables.SetElement{Key: append(a.AsSlice(), byte(port>>8), byte(port), 0, 0)}
}

func ifname(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

// renderLocked replaces the instance's table as a whole, in one transaction.
func (n *Network) renderLocked() error {
	var kinds []firewall.Kind
	classes := map[string]int{}
	for _, m := range n.members {
		if _, known := classes[key(m.kind)]; !known {
			classes[key(m.kind)] = len(kinds)
			kinds = append(kinds, m.kind)
		}
	}
	t := &table{Table: &nftables.Table{Name: tableName(n.cfg.ID), Family: nftables.TableFamilyINet}, net: n}
	err := n.change("replace the packet filter", func(c *nftables.Conn) error {
		t.conn = c
		c.AddTable(t.Table) // so that there is one to delete
		c.DelTable(t.Table)
		c.AddTable(t.Table)
		return t.render(n.policy.Compile(kinds), n.elements(classes, len(kinds)))
	})
	if err != nil {
		return err
	}
	n.rendered = &rendered{classes: classes, links: t.links, members: t.members, doors: t.doors, former: map[netip.Addr]firewall.Kind{}}
	n.forgetFlowsLocked()
	return nil
}

// elements returns the members as elements of the sets.
func (n *Network) elements(classes map[string]int, count int) (e elements) {
	e.members = make([][]nftables.SetElement, count)
	for a, m := range n.members {
		class := classes[key(m.kind)]
		e.members[class] = append(e.members[class], addressElement(a))
		if m.link != "" {
			e.links = append(e.links, linkElement(m.link, a))
		}
	}
	for name, ports := range n.doors {
		for _, p := range ports {
			e.doors = append(e.doors, doorElement(n.sources[name], p))
		}
	}
	return e
}

type elements struct {
	links   []nftables.SetElement
	doors   []nftables.SetElement
	members [][]nftables.SetElement // by class
}

// render writes the table. A packet goes through its base chain to depart, which
// asks the sender's class, then to arrive of the sender's VPC, which asks the
// receiver's class in receive of that VPC.
func (t *table) render(classes []firewall.Class, e elements) error {
	t.chain(chainDepart)
	if err := t.sets(e); err != nil {
		return err
	}
	var vpcs []string
	for _, c := range classes {
		if !slices.Contains(vpcs, c.VPC) {
			vpcs = append(vpcs, c.VPC)
		}
	}
	for i := range vpcs {
		t.chain(chainArrive(i))
		t.chain(chainReceive(i))
	}
	for i, c := range classes {
		t.class(i, c, slices.Index(vpcs, c.VPC))
	}
	t.rule(chainDepart, drop()...)
	for i, vpc := range vpcs {
		t.receive(chainReceive(i), classes, vpc)
		t.arrive(i)
	}
	t.spoofing()
	t.services()
	t.machine()
	t.forward()
	t.masquerade()
	return nil
}

// class writes what the members of a class in a VPC may send and receive.
func (t *table) class(i int, c firewall.Class, vpc int) {
	out, in := fmt.Sprintf("out-%d", i), chainIn(i)
	t.chain(out)
	t.chain(in)
	for _, m := range c.Out {
		t.rule(out, slices.Concat(protocol(m), peer(m, destinationAddress), jump(chainArrive(vpc)))...)
	}
	for _, m := range c.In {
		t.rule(in, slices.Concat(protocol(m), peer(m, sourceAddress), accept())...)
	}
	t.rule(chainDepart, slices.Concat(memberOf(sourceAddress, i), call(out))...)
}

// receive asks the classes that a sender in the VPC may reach at all.
func (t *table) receive(chain string, classes []firewall.Class, vpc string) {
	for i, c := range classes {
		if c.VPC == vpc || c.Public {
			t.rule(chain, slices.Concat(memberOf(destinationAddress, i), call(chainIn(i)))...)
		}
	}
	t.rule(chain, drop()...)
}
