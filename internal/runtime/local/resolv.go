package local

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// resolvConf is the /etc/resolv.conf of tasks: as in a VPC, where the server of
// names is at an address of the network.
func resolvConf(gateway netip.Addr, domain string) string {
	return fmt.Sprintf("search %s\noptions timeout:2 attempts:5\nnameserver %s\n", domain, gateway)
}

// resolvers returns the machine's name servers that tasks can reach by
// themselves: none on the loopback device, of which a task has its own.
// systemd-resolved keeps the real ones in a second file.
func resolvers() []netip.Addr {
	for _, path := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if found := nameServers(string(text)); len(found) > 0 {
			return found
		}
	}
	return nil
}

// nameServers returns the IPv4 name servers of a resolv.conf, without those on
// the loopback device.
func nameServers(text string) []netip.Addr {
	var out []netip.Addr
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "nameserver" {
			if addr, err := netip.ParseAddr(fields[1]); err == nil && addr.Is4() && !addr.IsLoopback() {
				out = append(out, addr)
			}
		}
	}
	return out
}
