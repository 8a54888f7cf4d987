package probe

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"neargate/internal/decide/firewall"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local/network"
)

// links makes the links that tasks hang on.
func links() *Lack {
	for _, l := range []struct {
		link   netlink.Link
		what   string
		module string
	}{
		{&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "probe0"}}, "network bridges", "bridge"},
		{&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "probe1"}, PeerName: "probe2"}, "veth links", "veth"},
	} {
		err := netlink.LinkAdd(l.link)
		switch {
		case err == nil:
		case errors.Is(err, unix.EOPNOTSUPP):
			return &Lack{"the kernel has no " + l.what, "load them: modprobe " + l.module}
		default:
			return &Lack{fmt.Sprintf("no %s can be made: %v", l.what, err), outsideSandbox}
		}
	}
	return nil
}

// packetFilter connects a task that is not there, as the engine does.
func packetFilter() *Lack {
	const load = "load it: modprobe nf_tables; modprobe -a nft_ct nft_chain_nat nft_masq nft_nat"
	err := tryNetwork()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, network.ErrNoFilter):
		return &Lack{err.Error(), load}
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP):
		return &Lack{"the kernel's nf_tables lacks a part of the packet filter: nft_ct, nft_chain_nat, nft_masq or nft_nat", load}
	}
	return &Lack{"tasks cannot be connected: " + err.Error(), outsideSandbox}
}

func tryNetwork() error {
	n, err := network.Open(network.Config{ID: "000000"})
	if err != nil {
		return err
	}
	if err := n.OpenPorts([]runtime.Port{{Address: netip.AddrPortFrom(n.Gateway(), 80), Listener: 1}}); err != nil {
		return err
	}
	if err := n.SetPolicy(firewall.Policy{}); err != nil {
		return err
	}
	a, _, err := n.Take()
	if err != nil {
		return err
	}
	return n.Connect(a, nil, os.Getpid(), "probe3")
}
