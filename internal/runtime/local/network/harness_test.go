package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
)

// inside says that this process has a network namespace of its own, which stands
// for the machine.
const inside = "NETWORK_TEST_INSIDE"

// TestMain runs the tests again in a network namespace of their own, so that
// they see no link and change no filter of this machine.
func TestMain(m *testing.M) {
	if os.Getenv(inside) != "" || os.Geteuid() != 0 {
		os.Exit(m.Run())
	}
	again := exec.Command("/proc/self/exe", os.Args[1:]...)
	again.Env = append(os.Environ(), inside+"=1")
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if err := again.Run(); err != nil {
		if _, ran := errors.AsType[*exec.ExitError](err); ran {
			os.Exit(1)
		}
		os.Exit(m.Run()) // no namespace: what needs one skips itself
	}
}

// machine makes the namespace fit for a network, or skips the test.
func machine(t *testing.T) {
	t.Helper()
	if os.Getenv(inside) == "" {
		t.Skip("needs root and a network namespace of its own")
	}
	if err := probeTables(); err != nil {
		t.Skip("needs nf_tables: ", err)
	}
	lo, err := netlink.LinkByName("lo")
	check(t, err)
	check(t, netlink.LinkSetUp(lo))
	check(t, os.WriteFile(forwardFile, []byte("1"), 0))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens the network of an instance, which the test's end removes.
func open(t *testing.T, cfg Config) *Network {
	t.Helper()
	machine(t)
	n, err := Open(cfg)
	check(t, err)
	t.Cleanup(func() {
		if err := Remove(context.WithoutCancel(t.Context()), cfg.ID); err != nil {
			t.Error(err)
		}
	})
	return n
}

// namespace is a network namespace with a thread in it.
type namespace struct {
	tid  int
	work chan func()
}

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	ns := &namespace{work: make(chan func())}
	ready, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with its goroutine
		ns.tid = unix.Gettid()
		err := unix.Unshare(unix.CLONE_NEWNET)
		ready <- err
		for f := range ns.work {
			f()
		}
	}()
	check(t, <-ready)
	t.Cleanup(func() { close(ns.work); <-done })
	return ns
}

// do runs f in the namespace.
func (ns *namespace) do(f func() error) error {
	done := make(chan error)
	ns.work <- func() { done <- f() }
	return <-done
}

// configure sets up a link of the namespace as a task's is.
func (ns *namespace) configure(n *Network, a netip.Addr) error {
	return ns.do(func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		gateway := n.GatewayOf(a).AsSlice()
		return errors.Join(
			netlink.AddrAdd(link, addressOf(netip.PrefixFrom(a, 32))), netlink.LinkSetUp(link),
			netlink.NeighSet(&netlink.Neigh{LinkIndex: link.Attrs().Index, Family: netlink.FAMILY_V4, State: netlink.NUD_PERMANENT, IP: gateway, HardwareAddr: n.GatewayMAC()}),
			netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: networkOf(netip.PrefixFrom(n.GatewayOf(a), 32)), Scope: netlink.SCOPE_LINK}),
			netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: gateway}))
	})
}

// listen answers connections to a port of the namespace with a greeting.
func (ns *namespace) listen(t *testing.T, port int) {
	t.Helper()
	var l net.Listener
	check(t, ns.do(func() (err error) {
		l, err = net.Listen("tcp4", fmt.Sprint(":", port))
		return err
	}))
	greet(t, l)
}

func greet(t *testing.T, l net.Listener) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("hello\n"))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
}

// patience is how long a packet that passes may take. What is dropped takes it
// all; so a slow machine can only hide a hole, and each test sees the same flow
// pass before or after.
const patience = 400 * time.Millisecond

func connect(from netip.Addr, to string) error {
	d := net.Dialer{Timeout: patience}
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	c, err := d.Dial("tcp4", to)
	if err == nil {
		_ = c.Close()
	}
	return err
}

// reach says in a test's words whether a connection comes about.
func (ns *namespace) reach(a netip.Addr, port int) string {
	return word(ns.do(func() error { return connect(netip.Addr{}, netip.AddrPortFrom(a, uint16(port)).String()) }))
}

func word(err error) string {
	switch {
	case err == nil:
		return "reached"
	case timedOut(err):
		return "dropped"
	}
	return err.Error()
}

func timedOut(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// await waits until this machine reaches a new link: the kernel may take a second
// to bring it up.
func await(t *testing.T, a netip.Addr, port uint16) {
	t.Helper()
	to := netip.AddrPortFrom(a, port).String()
	for range 50 {
		if connect(netip.Addr{}, to) == nil {
			return
		}
	}
	t.Fatalf("%s is not reached", to)
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// task is a namespace with a link of the network.
type task struct {
	*namespace
	addr netip.Addr
}

func newTask(t *testing.T, n *Network, groups ...string) task {
	t.Helper()
	return newTaskIn(t, n, nil, groups...)
}

// newTaskIn makes one that may have addresses of subnets.
func newTaskIn(t *testing.T, n *Network, subnets []model.Subnet, groups ...string) task {
	t.Helper()
	ns := newNamespace(t)
	a, _, err := n.Take(subnets...)
	check(t, err)
	check(t, n.Connect(a, groups, ns.tid, "eth0"))
	check(t, ns.configure(n, a))
	ns.listen(t, 8080)
	await(t, a, 8080)
	return task{ns, a}
}

// lan is a host in a network that the machine has an address in.
func newLAN(t *testing.T, link, ours, theirs string) *namespace {
	t.Helper()
	ns := newNamespace(t)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.Flags = link, net.FlagUp
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsPid(ns.tid)}
	check(t, netlink.LinkAdd(veth))
	t.Cleanup(func() { _ = netlink.LinkDel(veth) })
	us, them := netip.MustParsePrefix(ours), netip.MustParsePrefix(theirs)
	check(t, netlink.AddrAdd(veth, addressOf(us)))
	check(t, ns.do(func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return errors.Join(netlink.AddrAdd(link, addressOf(them)), netlink.LinkSetUp(link),
			netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: us.Addr().AsSlice()}))
	}))
	ns.listen(t, 7777)
	await(t, them.Addr(), 7777)
	return ns
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// groups is the default group, and those given.
func groups(more ...firewall.Group) firewall.Policy {
	all := firewall.Rule{Protocol: firewall.Any, Network: prefix("0.0.0.0/0"), Egress: true}
	p := firewall.Policy{Default: "sg-default", Groups: []firewall.Group{{
		ID: "sg-default", Rules: []firewall.Rule{all, {Protocol: firewall.Any, Group: "sg-default"}},
	}}}
	for _, g := range more {
		g.Rules = append(slices.Clone(g.Rules), all)
		p.Groups = append(p.Groups, g)
	}
	return p
}

func tcp(port int, group string) firewall.Rule {
	return firewall.Rule{Protocol: firewall.TCP, From: port, To: port, Group: group}
}

// left lists what of an instance is in the kernel.
func left(t *testing.T, id string) []string {
	t.Helper()
	var out []string
	names, err := linkNames()
	check(t, err)
	for _, name := range names {
		if strings.HasPrefix(name, HomeName(id)) {
			out = append(out, "link "+name)
		}
	}
	c, err := nftables.New()
	check(t, err)
	tables, err := c.ListTables()
	check(t, err)
	for _, table := range tables {
		if table.Name == tableName(id) {
			out = append(out, "table "+table.Name)
		}
	}
	slices.Sort(out)
	return out
}

func setForwarding(t *testing.T, value string) {
	t.Helper()
	check(t, os.WriteFile(forwardFile, []byte(value), 0))
}

func wantForwarding(t *testing.T, when string, want bool) {
	t.Helper()
	if got, err := forwarding(); err != nil || got != want {
		t.Errorf("%s: forwarding is %v, %v, want %v", when, got, err, want)
	}
}
