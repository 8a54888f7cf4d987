package network

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"strings"
)

// connection is an established TCP connection of this machine.
type connection struct{ local, remote netip.Addr }

// connections lists the IPv4 ones. Where the kernel does not tell there are none
// to spare.
func connections() []connection {
	var out []connection
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} { // the latter has those of sockets for both
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		out = append(out, readConnections(f)...)
		_ = f.Close()
	}
	return out
}

// established is the state of a connection in the kernel's table.
const established = "01"

// readConnections reads a table of sockets, see proc_net_tcp of the kernel's
// documentation.
func readConnections(r io.Reader) []connection {
	var out []connection
	for lines := bufio.NewScanner(r); lines.Scan(); {
		columns := strings.Fields(lines.Text())
		if len(columns) < 4 || columns[3] != established {
			continue
		}
		local, mine := readAddress(columns[1])
		remote, theirs := readAddress(columns[2])
		if mine && theirs {
			out = append(out, connection{local, remote})
		}
	}
	return out
}

// readAddress reads an address with a port; ok is false of one that is not IPv4.
func readAddress(text string) (a netip.Addr, ok bool) {
	digits, _, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(digits)
	if err != nil || len(b)%4 != 0 {
		return a, false
	}
	for i := 0; i < len(b); i += 4 { // words in the machine's own order
		binary.BigEndian.PutUint32(b[i:], binary.NativeEndian.Uint32(b[i:]))
	}
	a, ok = netip.AddrFromSlice(b)
	return a.Unmap(), ok && a.Unmap().Is4()
}
