package local

import (
	"net/netip"
	"os"
	"strings"
)

// resolvConf is the machine's /etc/resolv.conf for tasks: name servers on the
// loopback device are left out, as a task has a loopback device of its own.
// systemd-resolved keeps the real ones in a second file.
func resolvConf() string {
	for _, path := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if text, ok := withoutLoopback(string(data)); ok {
			return text
		}
	}
	return ""
}

// resolvers returns the IPv4 name servers of a resolv.conf.
func resolvers(text string) []netip.Addr {
	var out []netip.Addr
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "nameserver" {
			if addr, err := netip.ParseAddr(fields[1]); err == nil && addr.Is4() {
				out = append(out, addr)
			}
		}
	}
	return out
}

// withoutLoopback reports in ok whether a name server is left.
func withoutLoopback(text string) (out string, ok bool) {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "nameserver" {
			addr, err := netip.ParseAddr(fields[1])
			if err != nil || addr.IsLoopback() {
				continue
			}
			ok = true
		}
		kept.WriteString(line)
	}
	return kept.String(), ok
}
