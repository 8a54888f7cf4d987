package front

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Proxies are the addresses whose connections begin with a header of the PROXY
// protocol (HAProxy's proxy-protocol.txt), version 1 or 2, which names the client
// and what it connected to. As the specification demands it is not guessed whether
// there is one: a connection from there without it is ended, and one from
// elsewhere has none.
type Proxies []netip.Prefix

func (p Proxies) has(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(a) })
}

// renamed is a TCP connection with the addresses that a PROXY header names.
type renamed struct {
	*net.TCPConn
	remote, local net.Addr
}

// RemoteAddr is the client.
func (r renamed) RemoteAddr() net.Addr { return r.remote }

// LocalAddr is what the client connected to.
func (r renamed) LocalAddr() net.Addr { return r.local }

// readProxy reads the header in front, and gives the connection its addresses. It
// reports false for a client that is not served.
func (c *conn) readProxy() bool {
	tcp, ok := c.socket.(*net.TCPConn)
	if !ok {
		return false
	}
	_ = tcp.SetReadDeadline(time.Now().Add(patience))
	from, to, err := readHeader(tcp)
	if err != nil {
		c.server.cfg.Log.Debug("PROXY header not read", "from", c.from, "error", err)
		return false
	}
	_ = tcp.SetReadDeadline(time.Time{})
	if !from.IsValid() { // the proxy speaks for itself
		return c.server.admits(c.from.Addr())
	}
	renamed := renamed{tcp, net.TCPAddrFromAddrPort(from), net.TCPAddrFromAddrPort(to)}
	c.mu.Lock()
	c.socket, c.from = renamed, from
	c.mu.Unlock()
	return c.server.admits(from.Addr())
}

var errHeader = errors.New("no PROXY header, or a malformed one")

// The signature of version 2, and the first letters of version 1.
const (
	signature2 = "\r\n\r\n\x00\r\nQUIT\n"
	signature1 = "PROXY "
)

// readHeader reads a header and not an octet more. The addresses are the zero
// value where it names none.
func readHeader(r io.Reader) (from, to netip.AddrPort, err error) {
	// No header of either version is shorter than this.
	start := make([]byte, len(signature2), 107)
	if _, err := io.ReadFull(r, start); err != nil {
		return from, to, err
	}
	switch {
	case string(start) == signature2:
		return readHeader2(r)
	case strings.HasPrefix(string(start), signature1):
		return readHeader1(r, start)
	}
	return from, to, errHeader
}

// readHeader1 reads the rest of a header of version 1, which is one line of up to
// 107 octets.
func readHeader1(r io.Reader, line []byte) (from, to netip.AddrPort, err error) {
	for !bytes.HasSuffix(line, []byte("\r\n")) {
		if len(line) == cap(line) {
			return from, to, errHeader
		}
		line = line[:len(line)+1]
		if _, err := io.ReadFull(r, line[len(line)-1:]); err != nil {
			return from, to, err
		}
	}
	words := strings.Split(strings.TrimSuffix(string(line), "\r\n"), " ")
	if words[1] == "UNKNOWN" {
		return from, to, nil
	}
	if len(words) != 6 || words[1] != "TCP4" && words[1] != "TCP6" {
		return from, to, errHeader
	}
	from, err = address(words[2], words[4], words[1] == "TCP4")
	if err == nil {
		to, err = address(words[3], words[5], words[1] == "TCP4")
	}
	return from, to, err
}

func address(host, port string, four bool) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(host)
	if err != nil || a.Is4() != four || a.Zone() != "" {
		return netip.AddrPort{}, errHeader
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, errHeader
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), nil
}

// The commands and families of version 2.
const (
	version2Local = 0x20
	version2Proxy = 0x21
	familyTCP4    = 0x11
	familyTCP6    = 0x21

	maxHeader2 = 4 << 10 // with what it may say beside the addresses
)

// readHeader2 reads the rest of a header of version 2.
func readHeader2(r io.Reader) (from, to netip.AddrPort, err error) {
	var fixed [4]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return from, to, err
	}
	length := int(binary.BigEndian.Uint16(fixed[2:]))
	if length > maxHeader2 || fixed[0] != version2Local && fixed[0] != version2Proxy {
		return from, to, errHeader
	}
	rest := make([]byte, length)
	if _, err := io.ReadFull(r, rest); err != nil {
		return from, to, err
	}
	size := map[byte]int{familyTCP4: 4, familyTCP6: 16}[fixed[1]]
	switch {
	case fixed[0] == version2Local || size == 0:
		return from, to, nil
	case length < 2*size+4:
		return from, to, errHeader
	}
	at := func(i int) netip.AddrPort {
		a, _ := netip.AddrFromSlice(rest[i*size : (i+1)*size])
		return netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(rest[2*size+2*i:]))
	}
	return at(0), at(1), nil
}
