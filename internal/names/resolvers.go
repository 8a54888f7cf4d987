package names

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Resolvers are the name servers that this machine uses, as resolv.conf(5) says
// at the moment. It is safe for concurrent use.
type Resolvers struct {
	file string // /etc/resolv.conf
	real string // systemd-resolved's, with those behind its stub

	mu      sync.Mutex
	stamps  [2]stamp // of the files as read; guarded by mu
	servers []netip.AddrPort
}

// stamp tells one content of a file from another.
type stamp struct {
	at   time.Time
	size int64
}

// MachineResolvers returns the resolvers of this machine.
func MachineResolvers() *Resolvers {
	return &Resolvers{file: "/etc/resolv.conf", real: "/run/systemd/resolve/resolv.conf"}
}

// List returns the resolvers in the order in which they are to be asked. It
// reads the files again when they have changed.
func (r *Resolvers) List() []netip.AddrPort {
	now := [2]stamp{stampOf(r.file), stampOf(r.real)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now != r.stamps {
		r.stamps, r.servers = now, r.read()
	}
	return r.servers
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// read leaves the stub of systemd-resolved out: it may be told to ask us about
// some names, and would then ask what it was asked.
func (r *Resolvers) read() []netip.AddrPort {
	all := nameservers(r.file)
	behind := slices.DeleteFunc(slices.Clone(all), isStub)
	if len(behind) < len(all) {
		behind = append(behind, nameservers(r.real)...)
	}
	return behind
}

// isStub reports whether an address is systemd-resolved's.
func isStub(a netip.AddrPort) bool {
	return a.Addr() == netip.AddrFrom4([4]byte{127, 0, 0, 53}) || a.Addr() == netip.AddrFrom4([4]byte{127, 0, 0, 54})
}

// nameservers returns those that a file names; none when it cannot be read.
func nameservers(path string) []netip.AddrPort {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var out []netip.AddrPort
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(fields[1]); err == nil {
			out = append(out, netip.AddrPortFrom(a, domainPort))
		}
	}
	return out
}

// domainPort is where name servers listen.
const domainPort = 53
