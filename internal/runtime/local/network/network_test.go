package network

import (
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/vishvananda/netlink"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
)

func TestGroupsBetweenTasks(t *testing.T) {
	n := open(t, Config{ID: "aa0001"})
	check(t, n.SetPolicy(groups(firewall.Group{ID: "sg-other"})))
	a, b := newTask(t, n), newTask(t, n)
	other := newTask(t, n, "sg-other")
	want(t, "within the default group", a.reach(b.addr, 8080), "reached")
	want(t, "to a group without ingress", a.reach(other.addr, 8080), "dropped")
	want(t, "from a group that the default one does not name", other.reach(a.addr, 8080), "dropped")

	open := groups(firewall.Group{ID: "sg-other", Rules: []firewall.Rule{tcp(8080, "sg-default")}})
	check(t, n.SetPolicy(open))
	want(t, "after the ingress was authorized", a.reach(other.addr, 8080), "reached")
	want(t, "another port", a.reach(other.addr, 8081), "dropped")
	late := newTask(t, n)
	want(t, "from a task that came later", late.reach(other.addr, 8080), "reached")

	check(t, n.SetPolicy(groups(firewall.Group{ID: "sg-other"})))
	want(t, "after it was revoked", a.reach(other.addr, 8080), "dropped")

	check(t, n.SetPolicy(open))
	check(t, n.Disconnect(late.addr))
	if got := len(n.members); got != 3 {
		t.Errorf("%d members, want 3", got)
	}
	want(t, "after another task has gone", a.reach(other.addr, 8080), "reached")
}

func TestAddressUsedAgain(t *testing.T) {
	n := open(t, Config{ID: "aa000d"})
	check(t, n.SetPolicy(groups(firewall.Group{ID: "sg-other"})))
	a, other := newTask(t, n), newTask(t, n, "sg-other")
	for _, row := range []struct{ group, want string }{{"sg-default", "reached"}, {"sg-default", "reached"}, {"sg-other", "dropped"}, {"sg-default", "reached"}} {
		n.pool.last = other.addr
		b := newTask(t, n, row.group)
		want(t, "the address in "+row.group, a.reach(b.addr, 8080), row.want)
		check(t, n.Disconnect(b.addr))
		check(t, n.Release(b.addr))
	}
}

func TestEstablishedConnectionsStay(t *testing.T) {
	n := open(t, Config{ID: "aa0002"})
	check(t, n.SetPolicy(groups()))
	a, b := newTask(t, n), newTask(t, n)
	var client net.Conn
	var listener net.Listener
	check(t, b.do(func() (err error) { listener, err = net.Listen("tcp4", ":9000"); return err }))
	defer func() { _ = listener.Close() }()
	check(t, a.do(func() (err error) {
		client, err = net.Dial("tcp4", netip.AddrPortFrom(b.addr, 9000).String())
		return err
	}))
	defer func() { _ = client.Close() }()
	server, err := listener.Accept()
	check(t, err)
	defer func() { _ = server.Close() }()
	check(t, n.SetPolicy(firewall.Policy{Default: "sg-default"}))
	want(t, "a new connection", a.reach(b.addr, 8080), "dropped")
	_, err = client.Write([]byte("x"))
	check(t, err)
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Errorf("over a connection that stood: %v", err)
	}
}

func TestLoadBalancersAreMembers(t *testing.T) {
	n := open(t, Config{ID: "aa0003"})
	check(t, n.SetPolicy(groups(firewall.Group{ID: "sg-alb"}, firewall.Group{ID: "sg-task", Rules: []firewall.Rule{tcp(8080, "sg-alb")}})))
	task := newTask(t, n, "sg-task")
	to := netip.AddrPortFrom(task.addr, 8080).String()
	alb, err := n.Source(model.Source{Name: "alb", SecurityGroups: []string{"sg-alb"}})
	check(t, err)
	other, err := n.Source(model.Source{Name: "other"})
	check(t, err)
	want(t, "the load balancer whose group the task names", word(connect(alb, to)), "reached")
	want(t, "another", word(connect(other, to)), "dropped")
	want(t, "this machine", word(connect(netip.Addr{}, to)), "reached")

	same, err := n.Source(model.Source{Name: "alb"})
	check(t, err)
	if same != alb {
		t.Errorf("the address became %s, was %s", same, alb)
	}
	want(t, "after its groups changed", word(connect(alb, to)), "dropped")
	check(t, n.DropSource("alb"))
	if err := connect(alb, to); word(err) == "reached" || word(err) == "dropped" {
		t.Errorf("from an address that was taken back: %v", err)
	}
	check(t, n.DropSource("alb"))
}

func TestReachOfTasks(t *testing.T) {
	for _, row := range []struct {
		reach                            firewall.Reach
		machine, lan, metadata, internet string
	}{
		{firewall.ReachNone, "dropped", "dropped", "dropped", "dropped"},
		{firewall.ReachInternet, "dropped", "dropped", "dropped", "reached"},
		{"", "dropped", "reached", "dropped", "reached"},
		{firewall.ReachAll, "reached", "reached", "reached", "reached"},
	} {
		t.Run(string(row.reach), func(t *testing.T) {
			n := open(t, Config{ID: "aa0004", Reach: row.reach})
			private, public := prefix("192.168.77.66/24"), prefix("203.0.113.66/24")
			newLAN(t, "lan1", "192.168.77.1/24", private.String())
			metadata := newLAN(t, "lan2", "203.0.113.1/24", public.String())
			service := netip.MustParseAddr("169.254.169.254")
			check(t, metadata.do(func() error {
				link, err := netlink.LinkByName("eth0")
				return errors.Join(err, netlink.AddrAdd(link, addressOf(netip.PrefixFrom(service, 32))))
			}))
			link, err := netlink.LinkByName("lan2")
			check(t, err)
			check(t, netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: networkOf(netip.PrefixFrom(service, 32))}))
			l, err := net.Listen("tcp4", ":7000")
			check(t, err)
			greet(t, l)

			check(t, n.SetPolicy(groups()))
			task := newTask(t, n)
			want(t, "this machine by the gateway's address", task.reach(n.Gateway(), 7000), row.machine)
			want(t, "this machine by another address", task.reach(netip.MustParseAddr("192.168.77.1"), 7000), row.machine)
			want(t, "a private network", task.reach(private.Addr(), 7777), row.lan)
			want(t, "a link-local address", task.reach(service, 7777), row.metadata)
			want(t, "a public address", task.reach(public.Addr(), 7777), row.internet)
		})
	}
}

func TestEgressOfGroups(t *testing.T) {
	n := open(t, Config{ID: "aa0005"})
	newLAN(t, "lan1", "192.168.77.1/24", "192.168.77.66/24")
	newLAN(t, "lan2", "192.168.78.1/24", "192.168.78.66/24")
	check(t, n.SetPolicy(firewall.Policy{Default: "sg-a", Groups: []firewall.Group{{ID: "sg-a", Rules: []firewall.Rule{
		{Egress: true, Protocol: firewall.TCP, From: 7000, To: 8000, Network: prefix("192.168.77.0/24")},
	}}}}))
	task := newTask(t, n)
	want(t, "within the egress rule", task.reach(netip.MustParseAddr("192.168.77.66"), 7777), "reached")
	want(t, "beyond it", task.reach(netip.MustParseAddr("192.168.78.66"), 7777), "dropped")
}

func TestProtocols(t *testing.T) {
	n := open(t, Config{ID: "aa000c"})
	check(t, n.SetPolicy(groups(
		firewall.Group{ID: "sg-dns", Rules: []firewall.Rule{{Protocol: firewall.UDP, From: 50, To: 60, Group: "sg-default"}}},
		firewall.Group{ID: "sg-ping", Rules: []firewall.Rule{{Protocol: firewall.ICMP, From: 8, To: firewall.Any, Group: "sg-default"}}},
	)))
	from, dns, ping := newTask(t, n), newTask(t, n, "sg-dns"), newTask(t, n, "sg-ping")
	pings := func(to task) string { return word(from.do(func() error { return echo(to.addr) })) }
	want(t, "ping where it is allowed", pings(ping), "reached")
	want(t, "ping where UDP is", pings(dns), "dropped")
	for _, row := range []struct {
		port uint16
		want string
	}{{53, "arrived"}, {50, "arrived"}, {61, "dropped"}, {60, "arrived"}} {
		var in net.PacketConn
		check(t, dns.do(func() (err error) {
			in, err = net.ListenPacket("udp4", netip.AddrPortFrom(dns.addr, row.port).String())
			return err
		}))
		check(t, from.do(func() error { return sendRaw(from.addr, dns.addr, row.port) }))
		want(t, "a datagram to the range 50 to 60", arrival(in), row.want)
		check(t, in.Close())
	}
}

func TestNameServersAnswer(t *testing.T) {
	server := netip.MustParseAddr("192.168.77.66")
	n := open(t, Config{ID: "aa0006", Reach: firewall.ReachInternet, Resolvers: []netip.Addr{server}})
	newLAN(t, "lan1", "192.168.77.1/24", "192.168.77.66/24").listen(t, 53)
	check(t, n.SetPolicy(firewall.Policy{Default: "sg-none"}))
	task := newTask(t, n)
	want(t, "the name server, whatever reach and groups", task.reach(server, 53), "reached")
	want(t, "another service there", task.reach(server, 7777), "dropped")
}

func TestNobodyReachesTasksPastTheMachine(t *testing.T) {
	n := open(t, Config{ID: "aa0007"})
	lan := newLAN(t, "lan1", "203.0.113.1/24", "203.0.113.66/24")
	check(t, n.SetPolicy(groups(firewall.Group{ID: "sg-open", Rules: []firewall.Rule{{Protocol: firewall.Any, Network: prefix("0.0.0.0/0")}}})))
	task := newTask(t, n, "sg-open")
	want(t, "a host of another network", lan.reach(task.addr, 8080), "dropped")
	want(t, "this machine", word(connect(netip.Addr{}, netip.AddrPortFrom(task.addr, 8080).String())), "reached")
	want(t, "the task that host", task.reach(netip.MustParseAddr("203.0.113.66"), 7777), "reached")
}

func TestInstancesAreApart(t *testing.T) {
	one, two := open(t, Config{ID: "aa0008"}), open(t, Config{ID: "aa0009"})
	everybody := groups(firewall.Group{ID: "sg-open", Rules: []firewall.Rule{{Protocol: firewall.Any, Network: prefix("0.0.0.0/0")}}})
	check(t, one.SetPolicy(everybody))
	check(t, two.SetPolicy(everybody))
	if one.Subnet().Overlaps(two.Subnet()) {
		t.Fatalf("both have %s", one.Subnet())
	}
	a, b := newTask(t, one, "sg-open"), newTask(t, two, "sg-open")
	neighbour := newTask(t, one)
	want(t, "a task of its own instance", neighbour.reach(a.addr, 8080), "reached")
	want(t, "a task of another instance", a.reach(b.addr, 8080), "dropped")
}

func TestKeptSubnetTakenSince(t *testing.T) {
	n := open(t, Config{ID: "aa000a"})
	st := n.State()
	check(t, Remove(t.Context(), "aa000a"))
	newLAN(t, "tun0", "172.31.2.1/24", "172.31.2.2/24")
	_, err := Open(Config{ID: "aa000a", State: st, Occupied: true})
	if o, ok := errors.AsType[*Overlap](err); !ok || o.Link != "tun0" || o.Subnet != st.Subnet {
		t.Errorf("with tasks running: got %v, want an overlap with tun0", err)
	}
	again := open(t, Config{ID: "aa000a", State: st})
	if again.Subnet().Overlaps(prefix("172.31.2.0/24")) {
		t.Errorf("got %s, which tun0 has", again.Subnet())
	}
}

func TestNextProcessTakesOver(t *testing.T) {
	before := open(t, Config{ID: "aa000b"})
	check(t, before.SetPolicy(groups(firewall.Group{ID: "sg-other"})))
	a, b, other := newTask(t, before), newTask(t, before), newTask(t, before, "sg-other")
	alb, err := before.Source(model.Source{Name: "alb"})
	check(t, err)

	after := open(t, Config{ID: "aa000b", State: before.State(), Occupied: true}) // the first was killed
	want(t, "before the first change", a.reach(b.addr, 8080), "reached")
	want(t, "before the first change, another group", a.reach(other.addr, 8080), "dropped")
	for _, x := range []task{a, b} {
		check(t, after.Admit(Admitted{Address: x.addr}))
	}
	check(t, after.Admit(Admitted{Address: other.addr, SecurityGroups: []string{"sg-other"}}))
	check(t, after.SetPolicy(groups(firewall.Group{ID: "sg-other"})))
	want(t, "after it", a.reach(b.addr, 8080), "reached")
	want(t, "after it, another group", a.reach(other.addr, 8080), "dropped")
	if addrs, err := netlink.AddrList(after.home, netlink.FAMILY_V4); err != nil || len(addrs) != 1 {
		t.Errorf("addresses %v, %v, want the gateway's alone", addrs, err)
	}
	again, err := after.Source(model.Source{Name: "alb", Kept: alb})
	check(t, err)
	if again != alb {
		t.Errorf("the load balancer has %s, had %s", again, alb)
	}
	for _, gone := range []netip.Addr{alb, a.addr, after.Gateway(), netip.MustParseAddr("192.0.2.1")} {
		other, err := after.Source(model.Source{Name: "other", Kept: gone})
		check(t, err)
		if other == gone || !after.Subnet().Contains(other) {
			t.Errorf("another load balancer got %s, which is not to be had", other)
		}
		check(t, after.DropSource("other"))
	}

	check(t, Remove(t.Context(), "aa000b"))
	if got := left(t, "aa000b"); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}

func TestForwardingIsOurs(t *testing.T) {
	machine(t)
	lan1 := newLAN(t, "lan1", "203.0.113.1/24", "203.0.113.66/24")
	newLAN(t, "lan2", "198.51.100.1/24", "198.51.100.9/24")
	far := netip.MustParseAddr("198.51.100.9")
	mark := filepath.Join(t.TempDir(), "mark")
	t.Cleanup(func() { _ = removeTable(guardTable) })

	check(t, EnableForwarding(mark)) // it is on: not ours
	want(t, "where the machine was a router", lan1.reach(far, 7777), "reached")
	check(t, RestoreForwarding(mark))
	wantForwarding(t, "somebody else's", true)

	setForwarding(t, "0")
	check(t, EnableForwarding(mark))
	wantForwarding(t, "for tasks", true)
	want(t, "where it was none", lan1.reach(far, 7777), "dropped")
	check(t, EnableForwarding(mark)) // the next process
	want(t, "after a restart", lan1.reach(far, 7777), "dropped")
	check(t, RestoreForwarding(mark))
	wantForwarding(t, "with the last task gone", false)
	check(t, RestoreForwarding(mark))

	check(t, EnableForwarding(mark))
	newLAN(t, "docker0", "192.168.88.1/24", "192.168.88.2/24")
	want(t, "to a link that came since", lan1.reach(netip.MustParseAddr("192.168.88.2"), 7777), "reached")
	check(t, RestoreForwarding(mark))
	wantForwarding(t, "with others relying on it", true)
}

// TestTasksReachLoadBalancers: a load balancer listens on its address among the
// tasks, and its security groups and the task's decide who reaches it.
func TestTasksReachLoadBalancers(t *testing.T) {
	for _, reach := range []firewall.Reach{firewall.ReachNone, firewall.ReachAll} {
		t.Run(string(reach), func(t *testing.T) {
			n := open(t, Config{ID: "aa000e", Reach: reach})
			mute := firewall.Group{ID: "sg-mute"}
			p := groups(
				firewall.Group{ID: "sg-alb", Rules: []firewall.Rule{tcp(7000, "sg-default"), {Protocol: firewall.Any, Group: "sg-wide"}}},
				firewall.Group{ID: "sg-other"}, firewall.Group{ID: "sg-wide"})
			p.Groups = append(p.Groups, mute)
			check(t, n.SetPolicy(p))
			alb, err := n.Source(model.Source{Name: "alb", SecurityGroups: []string{"sg-alb"}})
			check(t, err)
			check(t, n.SetDoors("alb", []uint16{7000}))
			check(t, n.SetDoors("alb", []uint16{7000, 7002}))
			for _, port := range []string{"7000", "7001", "7002"} {
				l, err := net.Listen("tcp4", net.JoinHostPort(alb.String(), port))
				check(t, err)
				greet(t, l)
			}
			task, other, silent, wide := newTask(t, n), newTask(t, n, "sg-other"), newTask(t, n, "sg-mute"), newTask(t, n, "sg-wide")
			want(t, "a group that the load balancer lets in", task.reach(alb, 7000), "reached")
			want(t, "another port, which its groups do not open", task.reach(alb, 7002), "dropped")
			open := map[firewall.Reach]string{firewall.ReachNone: "dropped", firewall.ReachAll: "reached"}
			want(t, "a program of this machine on a port that it does not listen on", wide.reach(alb, 7001), open[reach])
			want(t, "the port that it does listen on", wide.reach(alb, 7002), "reached")
			want(t, "a group that it does not let in", other.reach(alb, 7000), "dropped")
			want(t, "a group that lets nothing out", silent.reach(alb, 7000), "dropped")
			want(t, "this machine", word(connect(netip.Addr{}, netip.AddrPortFrom(alb, 7001).String())), "reached")

			check(t, n.SetDoors("alb", []uint16{7000}))
			want(t, "a port that it does not listen on any more", wide.reach(alb, 7002), open[reach])
			lan := newLAN(t, "lan1", "192.168.77.1/24", "192.168.77.66/24")
			want(t, "a neighbour with a route", lan.reach(alb, 7000), "dropped")
			check(t, n.DropSource("alb"))
			want(t, "after the load balancer has gone", task.reach(alb, 7000), "dropped")
		})
	}
}
