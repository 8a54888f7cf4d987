package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
)

func subnet(id, cidr string) model.Subnet { return model.Subnet{ID: id, CIDR: prefix(cidr)} }

// twoVPCs is a group in each of two VPCs that lets everybody in.
func twoVPCs() firewall.Policy {
	everybody := []firewall.Rule{{Protocol: firewall.Any, Network: prefix("0.0.0.0/0")}}
	return groups(firewall.Group{ID: "sg-one", VPC: "vpc-1", Rules: everybody}, firewall.Group{ID: "sg-two", VPC: "vpc-2", Rules: everybody})
}

// ways are the instance's routes to subnets.
func ways(t *testing.T, n *Network) []string {
	t.Helper()
	all, err := netlink.RouteList(n.home, netlink.FAMILY_V4)
	check(t, err)
	var out []string
	for _, r := range all {
		out = append(out, r.Dst.String())
	}
	return out
}

// TestTasksHaveAddressesOfTheirSubnets: they have addresses of it, reach each
// other, the world and the machine's open ports, and are reached as those of the
// instance's own network are. With the last of them the range goes.
func TestTasksHaveAddressesOfTheirSubnets(t *testing.T) {
	n := open(t, Config{ID: "ab0001"})
	newLAN(t, "lan0", "192.0.2.1/24", "192.0.2.2/24")
	check(t, n.SetPolicy(twoVPCs()))
	one, wide := []model.Subnet{subnet("subnet-1", "10.50.1.0/24")}, []model.Subnet{subnet("subnet-2", "10.50.2.0/24")}
	a, b, far := newTaskIn(t, n, one, "sg-one"), newTaskIn(t, n, one, "sg-one"), newTaskIn(t, n, wide, "sg-one")
	for _, x := range []task{a, b} {
		if !one[0].CIDR.Contains(x.addr) || !n.Has(x.addr) || n.GatewayOf(x.addr).String() != "10.50.1.1" {
			t.Errorf("the task has %s, and the router %s", x.addr, n.GatewayOf(x.addr))
		}
	}
	want(t, "a neighbour", a.reach(b.addr, 8080), "reached")
	want(t, "another subnet of the VPC", a.reach(far.addr, 8080), "reached")
	want(t, "a host beyond this machine", a.reach(netip.MustParseAddr("192.0.2.2"), 7777), "reached")
	want(t, "this machine", word(connect(netip.Addr{}, netip.AddrPortFrom(a.addr, 8080).String())), "reached")
	want(t, "an address that nobody has", a.reach(netip.MustParseAddr("10.50.2.3"), 8080), "dropped")

	alb, err := n.Source(model.Source{Name: "alb", Subnets: wide, SecurityGroups: []string{"sg-one"}})
	check(t, err)
	if !wide[0].CIDR.Contains(alb) {
		t.Errorf("the load balancer has %s", alb)
	}
	want(t, "a load balancer in the VPC", word(connect(alb, netip.AddrPortFrom(a.addr, 8080).String())), "reached")
	for _, x := range []task{a, b, far} {
		check(t, n.Disconnect(x.addr))
		check(t, n.Release(x.addr))
	}
	if got := fmt.Sprint(ways(t, n)); strings.Contains(got, "10.50.1.0/24") || !strings.Contains(got, "10.50.2.0/24") {
		t.Errorf("with the load balancer alone in its subnet there are ways to %s", got)
	}
	check(t, n.DropSource("alb"))
	if got := ways(t, n); len(got) != 1 {
		t.Errorf("ways to %s are left, want that to the instance's own network alone", got)
	}
}

// TestVPCsAreApart: tasks of different VPCs do not reach each other, whatever
// their groups allow, nor the load balancers that do not face the internet.
func TestVPCsAreApart(t *testing.T) {
	n := open(t, Config{ID: "ab0002"})
	check(t, n.SetPolicy(twoVPCs()))
	one, two := []model.Subnet{subnet("subnet-1", "10.50.1.0/24")}, []model.Subnet{subnet("subnet-2", "10.51.1.0/24")}
	a, b, home := newTaskIn(t, n, one, "sg-one"), newTaskIn(t, n, two, "sg-two"), newTask(t, n)
	doors := map[string]netip.Addr{}
	for name, s := range map[string]model.Source{
		"inner": {Subnets: two, SecurityGroups: []string{"sg-two"}},
		"outer": {Subnets: two, SecurityGroups: []string{"sg-two"}, Public: true},
	} {
		s.Name = name
		at, err := n.Source(s)
		check(t, err)
		check(t, n.SetDoors(name, []uint16{7000}))
		l, err := net.Listen("tcp4", netip.AddrPortFrom(at, 7000).String())
		check(t, err)
		greet(t, l)
		doors[name] = at
	}
	for _, row := range []struct {
		what string
		from task
		to   netip.Addr
		port int
		want string
	}{
		{"a task of another VPC", a, b.addr, 8080, "dropped"},
		{"and back", b, a.addr, 8080, "dropped"},
		{"from the default VPC", home, a.addr, 8080, "dropped"},
		{"an internal load balancer of another VPC", a, doors["inner"], 7000, "dropped"},
		{"the same from its own", b, doors["inner"], 7000, "reached"},
		{"one that faces the internet", a, doors["outer"], 7000, "reached"},
	} {
		want(t, row.what, row.from.reach(row.to, row.port), row.want)
	}
	want(t, "from a load balancer of another VPC", word(connect(doors["outer"], netip.AddrPortFrom(a.addr, 8080).String())), "dropped")
	want(t, "from one of the same", word(connect(doors["outer"], netip.AddrPortFrom(b.addr, 8080).String())), "reached")
}

// TestSubnetsThatAreNotFree: tasks have addresses of the instance's own network
// where the machine uses the range, which is told once; never is an address in
// two networks.
func TestSubnetsThatAreNotFree(t *testing.T) {
	var told []string
	newLAN(t, "lan1", "10.60.0.1/24", "10.60.0.2/24")
	n := open(t, Config{
		ID: "ab0003", Resolvers: []netip.Addr{netip.MustParseAddr("10.61.0.2")},
		OnTaken: func(x Taken) { told = append(told, fmt.Sprint(x.Subnet.ID, " by ", x.By, " of ", x.Of)) },
	})
	check(t, n.SetPolicy(twoVPCs()))
	free := newTaskIn(t, n, []model.Subnet{subnet("subnet-free", "10.70.0.0/24")}, "sg-one")
	for _, row := range []struct{ cidr, told string }{
		{"10.60.0.0/16", "by 10.60.0.0/24 of lan1"},
		{"10.60.0.128/28", "by 10.60.0.0/24 of lan1"},
		{"10.61.0.0/24", "by 10.61.0.2/32 of the machine's name server"},
		{n.Subnet().String(), "by " + n.Subnet().String() + " of ng-ab0003"},
		{"10.70.0.0/16", "by 10.70.0.0/24 of subnet-free"},
	} {
		s := subnet("subnet-"+row.cidr, row.cidr)
		for range 2 {
			a, from, err := n.Take(s)
			check(t, err)
			if from != "" || !n.Subnet().Contains(a) {
				t.Errorf("%s: got %s of %q", row.cidr, a, from)
			}
			check(t, n.Release(a))
		}
		if len(told) != 1 || told[0] != s.ID+" "+row.told {
			t.Errorf("%s: told %q, want once %q", row.cidr, told, row.told)
		}
		told = nil
	}
	a, from, err := n.Take(subnet("subnet-taken", "10.60.0.0/24"), subnet("subnet-free", "10.70.0.0/24"))
	if err != nil || from != "subnet-free" || !prefix("10.70.0.0/24").Contains(a) || a == free.addr {
		t.Errorf("of two subnets, one of them free, got %s of %q, %v", a, from, err)
	}

	other := open(t, Config{ID: "ab0004"})
	if x, from, err := other.Take(subnet("subnet-x", "10.70.0.0/24")); err != nil || from != "" {
		t.Errorf("another instance got %s of %q, %v, which the first has", x, from, err)
	}
}

// TestSubnetsRunOut: AWS's five addresses of a subnet and those of gateways are
// nobody's, and after the last the subnet that is full is named.
func TestSubnetsRunOut(t *testing.T) {
	n := open(t, Config{ID: "ab0005"})
	small := subnet("subnet-small", "10.80.0.16/28")
	small.Reserved = []netip.Addr{netip.MustParseAddr("10.80.0.30")}
	seen := map[netip.Addr]bool{}
	for range 10 {
		a, _, err := n.Take(small)
		check(t, err)
		if seen[a] || !small.CIDR.Contains(a) || a.As4()[3] < 20 || a.As4()[3] > 29 {
			t.Errorf("got %s", a)
		}
		seen[a] = true
	}
	_, _, err := n.Take(small)
	if full, ok := errors.AsType[*ErrFull](err); !ok || full.Subnet != "subnet-small" {
		t.Errorf("got %v of a full subnet", err)
	}
	next := subnet("subnet-next", "10.80.0.32/28")
	if a, from, err := n.Take(small, next); err != nil || from != next.ID {
		t.Errorf("with another subnet got %s of %q, %v", a, from, err)
	}
	for a := range seen {
		check(t, n.Release(a))
		break
	}
	_, _, err = n.Take(small)
	check(t, err)
}

// TestNextProcessTakesSubnetsOver: what a killed process held of subnets is held
// by the next where tasks are in it, and gone where none are.
func TestNextProcessTakesSubnetsOver(t *testing.T) {
	before := open(t, Config{ID: "ab0006"})
	check(t, before.SetPolicy(twoVPCs()))
	one, two := subnet("subnet-1", "10.90.1.0/24"), subnet("subnet-2", "10.90.2.0/24")
	a, b := newTaskIn(t, before, []model.Subnet{one}, "sg-one"), newTaskIn(t, before, []model.Subnet{one}, "sg-one")
	alb, err := before.Source(model.Source{Name: "alb", Subnets: []model.Subnet{two}})
	check(t, err)

	after := open(t, Config{ID: "ab0006", State: before.State(), Occupied: true}) // the first was killed
	want(t, "before the first change", a.reach(b.addr, 8080), "reached")
	for _, x := range []task{a, b} {
		check(t, after.Admit(Admitted{Address: x.addr, LinkTail: before.LinkTail(x.addr), Subnet: one, SecurityGroups: []string{"sg-one"}}))
	}
	check(t, after.SetPolicy(twoVPCs()))
	want(t, "after it", a.reach(b.addr, 8080), "reached")
	if got := fmt.Sprint(ways(t, after)); !strings.Contains(got, one.CIDR.String()) || strings.Contains(got, two.CIDR.String()) {
		t.Errorf("there are ways to %s", got)
	}
	again, err := after.Source(model.Source{Name: "alb", Kept: alb, Subnets: []model.Subnet{two}})
	check(t, err)
	if again != alb {
		t.Errorf("the load balancer has %s, had %s", again, alb)
	}
	for _, x := range []task{a, b} {
		check(t, after.Disconnect(x.addr))
		check(t, after.Release(x.addr))
	}
	check(t, Remove(context.WithoutCancel(t.Context()), "ab0006"))
	if got := left(t, "ab0006"); len(got) > 0 {
		t.Errorf("left %v", got)
	}
}

// TestLinksOfEqualHalves: addresses of which the second half is the same have
// links of their own.
func TestLinksOfEqualHalves(t *testing.T) {
	n := open(t, Config{ID: "ab0007"})
	names := map[string]bool{}
	for i := range 20 {
		a := netip.AddrFrom4([4]byte{10, byte(100 + i), 1, 5})
		check(t, n.Admit(Admitted{Address: a, Subnet: subnet(fmt.Sprint("subnet-", i), fmt.Sprintf("10.%d.1.0/24", 100+i))}))
		if name := n.LinkName(a); names[name] || len(name) > 15 {
			t.Errorf("%s has the link %q", a, name)
		} else {
			names[name] = true
		}
	}
}

func TestReadConnections(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:11D6 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0504010A:0016 0705000A:C350 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1
   2: 0504010A:0016 0805000A:C350 06 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
   3: 0000000000000000FFFF00000504010A:0016 0000000000000000FFFF00000905000A:C350 01 0 0
   4: 00000000000000000000000001000000:0016 00000000000000000000000001000000:C350 01 0 0
   5: nonsense
`
	want := []connection{
		{netip.MustParseAddr("10.1.4.5"), netip.MustParseAddr("10.0.5.7")}, {netip.MustParseAddr("10.1.4.5"), netip.MustParseAddr("10.0.5.9")},
	}
	if got := readConnections(strings.NewReader(table)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
