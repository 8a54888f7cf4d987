package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// ErrUnencrypted is wrapped when other machines could read keys and passwords
// on their way to the server.
var ErrUnencrypted = errors.New("keys and passwords would cross the network in clear")

// ErrNoName is wrapped when it is not known under which name clients reach the
// server.
var ErrNoName = errors.New("an address of all interfaces is none that clients can use")

// checkListen refuses a Listen that is open to other machines by accident.
func (c Config) checkListen() error {
	host, _, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil:
		return fmt.Errorf("listen %q: want HOST:PORT", c.Listen)
	case loopback(host):
		return nil
	case !c.TLS.on() && !c.Insecure:
		return fmt.Errorf("listen %q: %w", c.Listen, ErrUnencrypted)
	case everywhere(host) && c.Advertise == "":
		return fmt.Errorf("listen %q: %w", c.Listen, ErrNoName)
	}
	return nil
}

func (c Config) checkAdvertise() error {
	if c.Advertise == "" {
		return nil
	}
	host, port := splitAdvertise(c.Advertise)
	number, err := strconv.ParseUint(port, 10, 16)
	if host == "" || everywhere(host) || strings.ContainsAny(host, "/@ \t") || port != "" && (err != nil || number == 0) {
		return fmt.Errorf("advertise %q: want HOST or HOST:PORT, as clients write it", c.Advertise)
	}
	return nil
}

// splitAdvertise cuts HOST or HOST:PORT; port is "" where there is none.
func splitAdvertise(s string) (host, port string) {
	if host, port, err := net.SplitHostPort(s); err == nil {
		return host, port
	}
	return strings.Trim(s, "[]"), ""
}

// address returns the HOST:PORT under which clients reach the server that
// listens at bound.
func (c Config) address(bound net.Addr) string {
	if c.Advertise == "" {
		return bound.String()
	}
	host, port := splitAdvertise(c.Advertise)
	if port == "" {
		_, port, _ = net.SplitHostPort(bound.String()) // a listener's address has one
	}
	return net.JoinHostPort(host, port)
}

// beside returns the HOST:PORT under which a client of the same machine reaches
// the server that listens at an address.
func beside(listen netip.AddrPort) string {
	host := listen.Addr().Unmap()
	if host.IsUnspecified() {
		host = netip.AddrFrom4([4]byte{127, 0, 0, 1}) // an address of all takes IPv4 as well
	}
	return netip.AddrPortFrom(host, listen.Port()).String()
}

// names returns the host names and addresses that clients may use, the
// advertised one first.
func (c Config) names(bound net.Addr) []string {
	host, _, _ := net.SplitHostPort(c.address(bound))
	names := []string{host, "localhost", apiName, "127.0.0.1", "::1"}
	if c.Domain != "" {
		names = append(names, c.Domain)
	}
	if ip, _, err := net.SplitHostPort(bound.String()); err == nil && !everywhere(ip) {
		names = append(names, ip)
	}
	if listen, _, err := net.SplitHostPort(c.Listen); err == nil && !everywhere(listen) {
		names = append(names, listen)
	}
	return names
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func everywhere(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}
