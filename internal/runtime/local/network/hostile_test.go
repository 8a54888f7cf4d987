package network

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestForgedSender: a task sends datagrams by a raw socket, with its own address
// and with another task's.
func TestForgedSender(t *testing.T) {
	n := open(t, Config{ID: "bb0001"})
	check(t, n.SetPolicy(groups()))
	evil, victim, third := newTask(t, n), newTask(t, n), newTask(t, n)
	var in net.PacketConn
	check(t, third.do(func() (err error) { in, err = net.ListenPacket("udp4", ":5353"); return err }))
	defer func() { _ = in.Close() }()
	for _, row := range []struct {
		name string
		from netip.Addr
		want string
	}{
		{"its own address", evil.addr, "arrived"},
		{"another task's", victim.addr, "dropped"},
		{"the gateway's", n.Gateway(), "dropped"},
		{"one of another network", netip.MustParseAddr("203.0.113.5"), "dropped"},
		{"its own again", evil.addr, "arrived"},
	} {
		check(t, evil.do(func() error { return sendRaw(row.from, third.addr, 5353) }))
		want(t, row.name, arrival(in), row.want)
	}
}

func arrival(in net.PacketConn) string {
	_ = in.SetReadDeadline(time.Now().Add(patience))
	_, _, err := in.ReadFrom(make([]byte, 100))
	switch {
	case err == nil:
		return "arrived"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "dropped"
	}
	return err.Error()
}

// sendRaw sends an UDP datagram with any sender.
func sendRaw(from, to netip.Addr, port uint16) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	packet := make([]byte, 28+5)
	packet[0], packet[8], packet[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
	copy(packet[12:], from.AsSlice())
	copy(packet[16:], to.AsSlice())
	binary.BigEndian.PutUint16(packet[20:], 4000)
	binary.BigEndian.PutUint16(packet[22:], port)
	binary.BigEndian.PutUint16(packet[24:], 8+5)
	copy(packet[28:], "hello")
	return unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Addr: to.As4()})
}

// echo sends a ping and waits for the answer.
func echo(to netip.Addr) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	limit := unix.NsecToTimeval(patience.Nanoseconds())
	request := []byte{8, 0, 0xf7, 0xfe, 0, 0, 0, 1} // checksummed
	if err := errors.Join(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit),
		unix.Sendto(fd, request, 0, &unix.SockaddrInet4{Addr: to.As4()})); err != nil {
		return err
	}
	if _, _, err := unix.Recvfrom(fd, make([]byte, 100), 0); err != nil {
		return os.ErrDeadlineExceeded // EAGAIN
	}
	return nil
}

// TestForgedNeighbour: a task tells everybody by ARP that the gateway's and
// another task's address are at its own link.
func TestForgedNeighbour(t *testing.T) {
	n := open(t, Config{ID: "bb0002"})
	check(t, n.SetPolicy(groups()))
	evil, victim, third := newTask(t, n), newTask(t, n), newTask(t, n)
	want(t, "before", victim.reach(third.addr, 8080), "reached")
	for _, claim := range []netip.Addr{n.Gateway(), third.addr, victim.addr} {
		for _, to := range []netip.Addr{n.Gateway(), victim.addr} {
			check(t, evil.do(func() error { return sendARP(claim, to) }))
		}
	}
	want(t, "after", victim.reach(third.addr, 8080), "reached")
	neighbours := func() (out []netlink.Neigh, err error) {
		err = victim.do(func() (err error) { out, err = netlink.NeighList(0, netlink.FAMILY_V4); return err })
		return out, err
	}
	theirs, err := neighbours()
	check(t, err)
	ours, err := netlink.NeighList(0, netlink.FAMILY_V4)
	check(t, err)
	if len(theirs) != 1 || theirs[0].HardwareAddr.String() != n.GatewayMAC().String() {
		t.Errorf("the victim knows %v, want the gateway alone", theirs)
	}
	seen := 0
	for _, e := range ours {
		a, _ := netip.AddrFromSlice(e.IP.To4())
		if !n.Subnet().Contains(a) {
			continue
		}
		seen++
		if e.HardwareAddr.String() != MAC(a).String() {
			t.Errorf("this machine knows %s at %s", a, e.HardwareAddr)
		}
	}
	if seen != 3 {
		t.Errorf("this machine knows %d tasks, want 3: %v", seen, ours)
	}
}

// sendARP sends an ARP answer from eth0 which says that an address is there.
func sendARP(claim, to netip.Addr) error {
	link, err := net.InterfaceByName("eth0")
	if err != nil {
		return err
	}
	const everybody = "\xff\xff\xff\xff\xff\xff"
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	frame := []byte(everybody + string(link.HardwareAddr) + "\x08\x06" + "\x00\x01\x08\x00\x06\x04\x00\x02" + string(link.HardwareAddr))
	frame = append(frame, claim.AsSlice()...)
	frame = append(frame, everybody...)
	frame = append(frame, to.AsSlice()...)
	return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: link.Index, Halen: 6})
}
