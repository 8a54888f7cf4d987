package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"neargate/internal/decide/firewall"
)

// The chains between the base chains and those of the classes.
const chainDepart = "depart" // may the sender send this?

// chainArrive is for what a sender in a VPC may send: where to?
func chainArrive(vpc int) string { return fmt.Sprintf("arrive-%d", vpc) }

// chainReceive is for what goes from there to a member: may that receive it?
func chainReceive(vpc int) string { return fmt.Sprintf("receive-%d", vpc) }

// chainIn is what the members of a class may receive.
func chainIn(class int) string { return fmt.Sprintf("in-%d", class) }

// setDoors has the addresses of load balancers with the ports that they listen on.
const setDoors = "doors"

// setLinks has each task's link with the address that it sends from.
const setLinks = "links"

// setOf is the set with the addresses of a class.
func setOf(class int) string { return fmt.Sprintf("class-%d", class) }

// table is an instance's table under construction.
type table struct {
	*nftables.Table
	conn    *nftables.Conn
	net     *Network
	links   *nftables.Set
	members []*nftables.Set // by class
	doors   *nftables.Set
}

func tableName(id string) string { return "neargate-" + id }

func (t *table) chain(name string) { t.conn.AddChain(&nftables.Chain{Name: name, Table: t.Table}) }

// base makes a chain that packets enter at a hook. Its policy is to accept:
// other programs' packets are none of this table's business.
func (t *table) base(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority *nftables.ChainPriority) {
	policy := nftables.ChainPolicyAccept
	t.conn.AddChain(&nftables.Chain{Name: name, Table: t.Table, Type: kind, Hooknum: hook, Priority: priority, Policy: &policy})
}

func (t *table) rule(chain string, exprs ...expr.Any) {
	t.conn.AddRule(&nftables.Rule{Table: t.Table, Chain: &nftables.Chain{Name: chain, Table: t.Table}, Exprs: exprs})
}

func (t *table) sets(e elements) error {
	t.links = &nftables.Set{
		Table: t.Table, ID: 1, Name: setLinks, Concatenation: true,
		KeyType: nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIPAddr),
	}
	if err := t.set(t.links, e.links); err != nil {
		return err
	}
	t.doors = &nftables.Set{
		Table: t.Table, ID: 2, Name: setDoors, Concatenation: true,
		KeyType: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService),
	}
	if err := t.set(t.doors, e.doors); err != nil {
		return err
	}
	for class, members := range e.members {
		s := &nftables.Set{Table: t.Table, ID: uint32(3 + class), Name: setOf(class), KeyType: nftables.TypeIPAddr}
		t.members = append(t.members, s)
		if err := t.set(s, members); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) set(s *nftables.Set, elements []nftables.SetElement) error {
	if err := t.conn.AddSet(s, nil); err != nil {
		return err
	}
	for part := range slices.Chunk(elements, 500) { // an attribute has at most 64 KiB
		if err := t.conn.SetAddElements(s, part); err != nil {
			return err
		}
	}
	return nil
}

// arrive fills the chain for what a sender in a VPC may send.
func (t *table) arrive(vpc int) {
	chain, receive := chainArrive(vpc), chainReceive(vpc)
	t.rule(chain, slices.Concat(outgoing(taskPrefix(t.net.cfg.ID)), jump(receive))...)
	t.rule(chain, slices.Concat(toElement(setDoors), jump(receive))...)
	for _, closed := range t.net.cfg.Reach.Closed() {
		t.rule(chain, slices.Concat(within(destinationAddress, closed), drop())...)
	}
	t.rule(chain, accept()...)
}

// spoofing drops what a task sends from an address that is not its own, and
// IPv6, which tasks do not have.
func (t *table) spoofing() {
	t.base("prerouting", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityRaw)
	t.rule("prerouting", slices.Concat(notIncoming(taskPrefix(t.net.cfg.ID)), accept())...)
	t.rule("prerouting", slices.Concat(notIPv4(), drop())...)
	t.rule("prerouting", slices.Concat(foreignSource(setLinks), drop())...)
}

// machine filters between tasks and this machine. The machine's own programs
// reach tasks; tasks reach the server's open ports, and the rest of the machine
// where Reach says so; connections from and to a load balancer have to be allowed
// by its security groups and by the task's. Nobody else reaches the machine by
// its addresses among the tasks, as a neighbour could that has a route to them.
func (t *table) machine() {
	tasks := taskPrefix(t.net.cfg.ID)
	t.base("input", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter)
	for _, p := range *t.net.extent.Load() {
		t.rule("input", slices.Concat(notIncoming(tasks), notIncomingBy("lo"), within(destinationAddress, p), drop())...)
	}
	t.rule("input", slices.Concat(notIncoming(tasks), accept())...)
	t.tracked("input")
	t.open("input")
	t.names("input")
	t.rule("input", slices.Concat(toElement(setDoors), jump(chainDepart))...)
	if t.net.cfg.Reach.Machine() {
		t.rule("input", jump(chainDepart)...)
	}
	t.rule("input", drop()...)

	t.base("output", nftables.ChainTypeFilter, nftables.ChainHookOutput, nftables.ChainPriorityFilter)
	t.rule("output", slices.Concat(notOutgoing(tasks), accept())...)
	t.rule("output", slices.Concat(notIPv4(), drop())...)
	t.unanswered()
	t.tracked("output")
	t.rule("output", slices.Concat(within(sourceAddress, netip.PrefixFrom(t.net.Gateway(), 32)), accept())...)
	t.rule("output", jump(chainDepart)...)
}

// unanswered keeps tasks from being told that nobody listens for their datagrams.
// Who asks for names and is told so gives up at once; who is not told asks again
// in 2 s, when a server that was killed is mostly there again.
func (t *table) unanswered() {
	gateway := netip.PrefixFrom(t.net.Gateway(), 32)
	portUnreachable := firewall.Match{Protocol: firewall.ICMP, From: 3, To: 3} // type and code, RFC 792
	t.rule("output", slices.Concat(within(sourceAddress, gateway), protocol(portUnreachable), drop())...)
}

// forward filters what the machine passes on: from tasks, and to them.
func (t *table) forward() {
	tasks := taskPrefix(t.net.cfg.ID)
	t.base("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter)
	t.chain("from-task")
	t.chain("to-task")
	t.rule("forward", slices.Concat(incoming(tasks), jump("from-task"))...)
	t.rule("forward", slices.Concat(outgoing(HomeName(t.net.cfg.ID)), jump("to-task"))...)
	t.tracked("from-task")
	t.names("from-task")
	t.rule("from-task", jump(chainDepart)...)
	t.tracked("to-task")
	t.rule("to-task", drop()...)
}

// tracked accepts what belongs to a connection that was let through before.
func (t *table) tracked(chain string) {
	t.rule(chain, slices.Concat(state(expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED), accept())...)
	t.rule(chain, slices.Concat(state(expr.CtStateBitINVALID), drop())...)
}

// domain is the port of name servers.
const domain = 53

// names lets tasks ask the machine's name servers whatever their groups and
// addresses, as in a VPC.
func (t *table) names(chain string) {
	if !t.net.cfg.Reach.Names() {
		return
	}
	for _, a := range t.net.cfg.Resolvers {
		for _, p := range []int{firewall.UDP, firewall.TCP} {
			dns := firewall.Match{Protocol: p, From: domain, To: domain}
			t.rule(chain, slices.Concat(within(destinationAddress, netip.PrefixFrom(a, 32)), protocol(dns), accept())...)
		}
	}
}

// masquerade lets tasks reach the world under the machine's own address.
func (t *table) masquerade() {
	t.base("postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource)
	for _, p := range *t.net.extent.Load() {
		t.rule("postrouting", slices.Concat(within(sourceAddress, p), notOutgoing(HomeName(t.net.cfg.ID)), []expr.Any{&expr.Masq{}})...)
	}
}
