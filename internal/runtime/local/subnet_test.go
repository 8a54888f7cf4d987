package local

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"

	"neargate/internal/model"
)

// testRange is a range of the networks for benchmarks (RFC 2544), which no
// machine has; another for each process, as tests may run beside each other.
func testRange() netip.Prefix {
	pid := os.Getpid()
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(pid >> 4), byte(pid << 4)}), 28)
}

// inSubnet lets a task have an address of the range but those reserved.
func inSubnet(s model.TaskSpec, reserved ...netip.Addr) model.TaskSpec {
	s.Subnets = []model.Subnet{{ID: "subnet-test", CIDR: testRange(), Reserved: reserved}}
	return s
}

// routeTo reports whether the machine has a route to exactly the network.
func routeTo(t *testing.T, network netip.Prefix) bool {
	t.Helper()
	all, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(r netlink.Route) bool { return r.Dst != nil && r.Dst.String() == network.String() })
}

// TestTasksOfASubnet: tasks with addresses of a VPC's subnet are known by them
// and reached as all are, reach each other and the server, are taken over by the
// next process, and leave nothing.
func TestTasksOfASubnet(t *testing.T) {
	b := open(t)
	at := netip.MustParseAddrPort("169.254.170.2:80")
	b.serveTasks(at)
	s := inSubnet(spec("serve"))
	state := b.run(s)
	a := netip.MustParseAddr(state.IP)
	if state.Subnet != "subnet-test" || !s.Subnets[0].CIDR.Contains(a) || !b.HasAddress(a) {
		t.Errorf("the task has %s of %q", state.IP, state.Subnet)
	}
	get(t, "http://"+state.IP+":8080/")
	asks := inSubnet(spec("fetch", "http://"+at.String()+"/"))
	if _, lines := b.output(asks); !slices.Contains(lines, asks.ID+" true true 1") {
		t.Errorf("the server was told %q, want the task known by its address", lines)
	}

	b.close()
	b.open() // as after kill -9: nothing was told to the tasks
	b.serveTasks(at)
	if again, known := b.TaskAt(a); !known || again.ID != s.ID || again.Subnet != "subnet-test" {
		t.Errorf("after a restart the task at %s is %q in %q, known %v", a, again.ID, again.Subnet, known)
	}
	get(t, "http://"+state.IP+":8080/")
	if other := b.run(inSubnet(spec("serve"))); other.IP == state.IP {
		t.Errorf("%s was given to a second task", other.IP)
	}
	if err := b.Stop(t.Context(), s.ID, 0); err != nil {
		t.Fatal(err)
	}
	if !routeTo(t, testRange()) {
		t.Errorf("no way to %s, where a task runs", testRange())
	}
	b.close()
	if err := Cleanup(context.Background(), b.dir); err != nil {
		t.Fatal(err)
	}
	if routeTo(t, testRange()) {
		t.Errorf("the way to %s is left after the cleanup", testRange())
	}
	b.open() // for the end of the test
}

// TestSubnetWithoutAddresses: a task that gets none is refused in ECS's words and
// leaves nothing; with the end of another it starts.
func TestSubnetWithoutAddresses(t *testing.T) {
	b := open(t)
	left := testRange().Addr().Next().Next().Next().Next() // after AWS's four
	var most []netip.Addr
	for a := left.Next(); testRange().Contains(a); a = a.Next() {
		most = append(most, a)
	}
	first := inSubnet(spec("serve"), most...)
	if state := b.run(first); state.IP != left.String() {
		t.Errorf("got %s, want the one that is left", state.IP)
	}
	next := inSubnet(spec("serve"), most...)
	_, err := b.Start(t.Context(), next)
	if e, ok := errors.AsType[*model.Error](err); !ok || e.Code != "" ||
		e.Msg != "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-test': InsufficientFreeAddressesInSubnet" {
		t.Errorf("got %v", err)
	}
	if err := b.Stop(t.Context(), first.ID, 0); err != nil {
		t.Fatal(err)
	}
	b.run(next)
}
