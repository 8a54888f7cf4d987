package firewall

import (
	"fmt"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

var (
	defaultGroup = Group{ID: "sg-default", Rules: []Rule{
		{Protocol: Any, From: Any, To: Any, Group: "sg-default"},
		{Egress: true, Protocol: Any, From: Any, To: Any, Network: netip.MustParsePrefix("0.0.0.0/0")},
	}}
	balancers = Group{ID: "sg-alb", Rules: []Rule{
		{Protocol: TCP, From: 80, To: 80, Network: netip.MustParsePrefix("0.0.0.0/0")},
		{Egress: true, Protocol: Any, From: Any, To: Any, Network: netip.MustParsePrefix("0.0.0.0/0")},
	}}
	tasks = Group{ID: "sg-task", Rules: []Rule{
		{Protocol: TCP, From: 8080, To: 8090, Group: "sg-alb"},
		{Protocol: ICMP, From: 8, To: Any, Network: netip.MustParsePrefix("10.0.0.0/24")},
		{Egress: true, Protocol: UDP, From: 53, To: 53, Network: netip.MustParsePrefix("10.0.0.2/32")},
	}}
	policy = Policy{Default: "sg-default", Groups: []Group{defaultGroup, balancers, tasks}}
)

func member(address string, groups ...string) Party {
	return Party{Address: netip.MustParseAddr(address), Member: true, Groups: policy.Of(groups)}
}

func TestAllowed(t *testing.T) {
	outside := Party{Address: netip.MustParseAddr("192.0.2.7")}
	alone, other := member("10.0.0.10"), member("10.0.0.11")
	alb, task := member("10.0.0.20", "sg-alb"), member("10.0.0.30", "sg-task")
	both := member("10.0.0.40", "sg-task", "sg-default")
	for _, row := range []struct {
		name string
		flow Flow
		want bool
	}{
		{"the default group among itself", Flow{From: alone, To: other, Protocol: TCP, Port: 1}, true},
		{"the default group outwards", Flow{From: alone, To: outside, Protocol: UDP, Port: 53}, true},
		{"from outside to the default group", Flow{From: outside, To: alone, Protocol: TCP, Port: 80}, false},
		{"from the load balancer to the task", Flow{From: alb, To: task, Protocol: TCP, Port: 8080}, true},
		{"the last port of the range", Flow{From: alb, To: task, Protocol: TCP, Port: 8090}, true},
		{"a port after the range", Flow{From: alb, To: task, Protocol: TCP, Port: 8091}, false},
		{"another protocol", Flow{From: alb, To: task, Protocol: UDP, Port: 8080}, false},
		{"a load balancer whose group the task does not name", Flow{From: alb, To: alone, Protocol: TCP, Port: 8080}, false},
		{"a member of another group", Flow{From: alone, To: task, Protocol: TCP, Port: 8080}, false},
		{"ping from the network", Flow{From: alone, To: task, Protocol: ICMP, Type: 8}, true},
		{"another ICMP type", Flow{From: alone, To: task, Protocol: ICMP, Type: 13}, false},
		{"ping from elsewhere", Flow{From: outside, To: task, Protocol: ICMP, Type: 8}, false},
		{"the task's only way out", Flow{From: task, To: Party{Address: netip.MustParseAddr("10.0.0.2")}, Protocol: UDP, Port: 53}, true},
		{"any other way out", Flow{From: task, To: outside, Protocol: TCP, Port: 443}, false},
		{"a second group adds to the first", Flow{From: both, To: outside, Protocol: TCP, Port: 443}, true},
		{"what both sides need: the sender may not", Flow{From: task, To: both, Protocol: TCP, Port: 1}, false},
	} {
		if got := policy.Allowed(row.flow); got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
}

// TestVPCsAreApart: what groups of different VPCs allow each other, by whatever
// network, does not come about, unless the receiver faces the internet.
func TestVPCsAreApart(t *testing.T) {
	open := func(id, vpc, group string) Group {
		return Group{ID: id, VPC: vpc, Rules: []Rule{
			{Protocol: TCP, From: 80, To: 80, Network: netip.MustParsePrefix("0.0.0.0/0")},
			{Protocol: TCP, From: 90, To: 90, Group: group},
			{Egress: true, Protocol: Any, From: Any, To: Any, Network: netip.MustParsePrefix("0.0.0.0/0")},
		}}
	}
	p := Policy{Default: "sg-a", Groups: []Group{open("sg-a", "vpc-1", "sg-b"), open("sg-b", "vpc-2", "sg-a"), open("sg-c", "vpc-1", "sg-a")}}
	party := func(public bool, groups ...string) Party {
		return Party{Address: netip.MustParseAddr("10.0.0.1"), Member: true, Groups: p.Of(groups), Public: public}
	}
	outside := Party{Address: netip.MustParseAddr("192.0.2.7")}
	for _, row := range []struct {
		name     string
		from, to Party
		port     int
		want     bool
	}{
		{"in one VPC", party(false, "sg-a"), party(false, "sg-c"), 80, true},
		{"in one VPC, by group", party(false, "sg-a"), party(false, "sg-c"), 90, true},
		{"to another VPC", party(false, "sg-a"), party(false, "sg-b"), 80, false},
		{"to another VPC, by group", party(false, "sg-a"), party(false, "sg-b"), 90, false},
		{"to what faces the internet", party(false, "sg-a"), party(true, "sg-b"), 80, true},
		{"to what faces the internet, by group", party(false, "sg-a"), party(true, "sg-b"), 90, false},
		{"from what faces the internet", party(true, "sg-a"), party(false, "sg-b"), 80, false},
		{"from outside", outside, party(false, "sg-b"), 80, true},
		{"outwards", party(false, "sg-b"), outside, 443, true},
	} {
		if got := p.Allowed(Flow{From: row.from, To: row.to, Protocol: TCP, Port: row.port}); got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
}

func TestOf(t *testing.T) {
	for _, row := range []struct{ named, want []string }{
		{nil, []string{"sg-default"}},
		{[]string{"sg-b", "sg-a", "sg-b"}, []string{"sg-a", "sg-b"}},
	} {
		if got := policy.Of(row.named); fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%v: got %v, want %v", row.named, got, row.want)
		}
	}
}

// TestCompileKeepsTheMeaning: what is enforced is what the groups say, for any
// groups, members and packets.
func TestCompileKeepsTheMeaning(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		names := []string{"sg-a", "sg-b", "sg-c", "sg-gone"}
		addresses := []string{"10.0.0.1", "10.0.1.1", "192.0.2.1", "198.51.100.9"}
		networks := []string{"0.0.0.0/0", "10.0.0.0/24", "10.0.0.0/8", "192.0.2.1/32", "::/0"}
		small := rapid.IntRange(0, 4)
		rule := rapid.Custom(func(rt *rapid.T) Rule {
			r := Rule{Egress: rapid.Bool().Draw(rt, "egress"), Protocol: rapid.SampledFrom([]int{Any, TCP, UDP, ICMP, 47}).Draw(rt, "protocol")}
			r.From = small.Draw(rt, "from")
			r.To = r.From + small.Draw(rt, "more")
			if r.Protocol == ICMP {
				r.From, r.To = r.From-1, r.To-1
			}
			switch rapid.IntRange(0, 2).Draw(rt, "peer") {
			case 0:
				r.Network = netip.MustParsePrefix(rapid.SampledFrom(networks).Draw(rt, "network"))
			case 1:
				r.Group = rapid.SampledFrom(names).Draw(rt, "group")
			}
			return r
		})
		p := Policy{Default: "sg-a"}
		for _, id := range names[:3] {
			vpc := rapid.SampledFrom([]string{"vpc-1", "vpc-2"}).Draw(rt, "VPC")
			p.Groups = append(p.Groups, Group{ID: id, VPC: vpc, Rules: rapid.SliceOfN(rule, 0, 5).Draw(rt, "rules")})
		}
		kinds := rapid.SliceOfNDistinct(rapid.Custom(func(rt *rapid.T) Kind {
			return Kind{p.Of(rapid.SliceOfN(rapid.SampledFrom(names), 0, 3).Draw(rt, "set")), rapid.Bool().Draw(rt, "public")}
		}), 1, 5, func(k Kind) string { return fmt.Sprint(k) }).Draw(rt, "kinds")
		party := func(name string) (Party, int) {
			a := Party{Address: netip.MustParseAddr(rapid.SampledFrom(addresses).Draw(rt, name))}
			class := rapid.IntRange(-1, len(kinds)-1).Draw(rt, name+" class")
			if class >= 0 {
				a.Member, a.Groups, a.Public = true, kinds[class].Groups, kinds[class].Public
			}
			return a, class
		}
		f := Flow{
			Protocol: rapid.SampledFrom([]int{TCP, UDP, ICMP, 47, 50}).Draw(rt, "packet"), Port: small.Draw(rt, "port"),
			Type: small.Draw(rt, "type"), Code: small.Draw(rt, "code"),
		}
		var from, to int
		f.From, from = party("from")
		f.To, to = party("to")
		if got, want := Allowed(p.Compile(kinds), f, from, to), p.Allowed(f); got != want {
			rt.Fatalf("compiled %v, by the groups %v: %+v", got, want, f)
		}
	})
}

func TestReach(t *testing.T) {
	for _, row := range []struct {
		reach, address string
		closed         bool
	}{
		{"none", "192.0.2.1", true},
		{"internet", "192.0.2.1", false},
		{"internet", "192.168.1.1", true},
		{"internet", "169.254.169.254", true},
		{"lan", "192.168.1.1", false},
		{"lan", "169.254.169.254", true},
		{"all", "169.254.169.254", false},
	} {
		r, err := ParseReach(row.reach)
		if err != nil {
			t.Fatal(err)
		}
		closed := false
		for _, n := range r.Closed() {
			closed = closed || n.Contains(netip.MustParseAddr(row.address))
		}
		if closed != row.closed {
			t.Errorf("%s: %s closed %v, want %v", row.reach, row.address, closed, row.closed)
		}
	}
	if r, err := ParseReach("everything"); err == nil {
		t.Errorf("got %q for a word that is none", r)
	}
}

// TestIngressKeepsTheMeaning: what a load balancer asks of each client is what
// the groups say of one from outside.
func TestIngressKeepsTheMeaning(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		addresses := []string{"10.0.0.1", "192.0.2.1", "198.51.100.9", "2001:db8::7", "2001:db8:1::7"}
		networks := []string{"0.0.0.0/0", "10.0.0.0/8", "192.0.2.1/32", "::/0", "2001:db8::/48"}
		small := rapid.IntRange(0, 4)
		rule := rapid.Custom(func(rt *rapid.T) Rule {
			r := Rule{Egress: rapid.Bool().Draw(rt, "egress"), Protocol: rapid.SampledFrom([]int{Any, TCP, UDP}).Draw(rt, "protocol")}
			r.From = small.Draw(rt, "from")
			r.To = r.From + small.Draw(rt, "more")
			if rapid.Bool().Draw(rt, "of a network") {
				r.Network = netip.MustParsePrefix(rapid.SampledFrom(networks).Draw(rt, "network"))
			} else {
				r.Group = "sg-a"
			}
			return r
		})
		p := Policy{Default: "sg-a"}
		for _, id := range []string{"sg-a", "sg-b"} {
			p.Groups = append(p.Groups, Group{ID: id, Rules: rapid.SliceOfN(rule, 0, 5).Draw(rt, "rules")})
		}
		named := rapid.SliceOfN(rapid.SampledFrom([]string{"sg-a", "sg-b", "sg-gone"}), 0, 2).Draw(rt, "named")
		from := netip.MustParseAddr(rapid.SampledFrom(addresses).Draw(rt, "client"))
		port := small.Draw(rt, "port")
		f := Flow{From: Party{Address: from}, To: Party{Member: true, Groups: p.Of(named)}, Protocol: TCP, Port: port}
		if got, want := p.Ingress(named).Admits(from, port), p.Allowed(f); got != want {
			rt.Fatalf("admitted %v, by the groups %v: %+v", got, want, f)
		}
	})
}
