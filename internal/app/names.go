package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"neargate/internal/balancer"
	"neargate/internal/decide/firewall"
	"neargate/internal/handover"
	"neargate/internal/model"
	"neargate/internal/names"
)

// defaultDNS is where programs of this machine ask a server about names that
// was told nothing else: an address that no other program takes by itself.
const defaultDNS = "127.53.0.1:53"

// apiName is the name of the APIs for tasks and for programs of this machine.
const apiName = "neargate.internal"

// nameTTL is how long an answer may be remembered. AWS's is 60 s; here an answer
// costs microseconds, and an address may change with a restart of the server.
const nameTTL = 5 * time.Second

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// checkNames refuses a domain that is none, and addresses that cannot be asked.
func (c Config) checkNames() error {
	var errs []error
	switch top := c.Domain[strings.LastIndexByte(c.Domain, '.')+1:]; {
	case c.Domain == "":
	case len(c.Domain) > 200 || !domainForm.MatchString(c.Domain):
		errs = append(errs, fmt.Errorf("domain %q: want a name in lower case, as example.test", c.Domain))
	case top == "localhost" || c.Domain == "internal" || c.Domain == "local":
		errs = append(errs, fmt.Errorf("domain %q: programs have their own answer for such names", c.Domain))
	case strings.HasSuffix("."+c.Domain, ".amazonaws.com"):
		errs = append(errs, fmt.Errorf("domain %q: it is AWS's", c.Domain))
	}
	for _, d := range c.DNS {
		if a, err := netip.ParseAddrPort(d); err != nil || a.Addr().IsUnspecified() || a.Addr().Zone() != "" {
			errs = append(errs, fmt.Errorf("dns %q: want ADDRESS:PORT with an address of this machine", d))
		}
	}
	return errors.Join(errs...)
}

// openNames makes the server of names, and takes the addresses at which other
// programs than tasks ask it.
func (p *parts) openNames(ctx context.Context, at reach, log *slog.Logger) error {
	resolvers := names.MachineResolvers()
	p.names = names.New(names.Config{
		Sources:  []names.Source{balancerNames{p}, p.apiNames(at), discoveredNames{p}, hostNames{p.cfg.Place, p.isTaskAddress}, domainNames{p.cfg.Domain}},
		Sockets:  nameSockets{p.cfg.Sockets},
		Upstream: resolvers.List, Alone: !firewall.Reach(p.cfg.TaskReach).Names(),
	}, log)
	for _, d := range p.cfg.DNS {
		a := netip.MustParseAddrPort(d) // validated
		from := names.World
		if a.Addr().IsLoopback() {
			from = names.Machine
		}
		_, err := p.names.Listen(ctx, a, from)
		switch {
		case err == nil:
		case d == defaultDNS && (errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EADDRNOTAVAIL)):
			log.Warn("names are not answered to programs of this machine: the address is not to be had", "address", d, "error", err,
				"hint", "name another address with --dns, such as 127.53.0.2:53, or stop the program that has this one")
		default:
			return &Unlistenable{"dns", d, err}
		}
	}
	return nil
}

// nameSockets are the sockets at which names are asked for.
type nameSockets struct{ *handover.Sockets }

// ListenUDP implements names.Sockets.
func (s nameSockets) ListenUDP(ctx context.Context, address string) (*net.UDPConn, error) {
	return s.ListenPacket(ctx, "names", address)
}

// ListenTCP implements names.Sockets.
func (s nameSockets) ListenTCP(ctx context.Context, address string) (net.Listener, error) {
	return s.Listen(ctx, net.ListenConfig{}, "names", "tcp", address)
}

// answerNames answers when it is known what runs: until then questions wait.
func (p *parts) answerNames(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-p.scheduler.Ready():
	}
	return p.names.Run(ctx)
}

// balancerNames are the names of load balancers.
type balancerNames struct{ *parts }

// Lookup implements names.Source.
func (b balancerNames) Lookup(name string, view names.View) (names.Answer, bool) {
	ways, ok := b.balancer.Named(name)
	if !ok {
		return names.Answer{}, false
	}
	return addressAnswer(name, b.addresses(ways, view)...), true
}

// addresses are those by which whoever asks reaches a load balancer. Who asks
// from another machine reaches it where he has asked, or else at the address
// that --public names.
func (b balancerNames) addresses(ways balancer.Ways, view names.View) (out []netip.Addr) {
	switch view.From {
	case names.Task:
		return []netip.Addr{ways.Tasks}
	case names.Machine:
		return []netip.Addr{ways.Machine}
	case names.World:
		all, err := b.cfg.publicAddresses()
		if err != nil {
			return nil
		}
		all = slices.DeleteFunc(all, func(a netip.Addr) bool { return !ways.Faces(a) })
		if slices.Contains(all, view.At) {
			return []netip.Addr{view.At}
		}
		return all
	}
	return nil
}

// addressAnswer is a name with addresses, of which those that are not valid are
// left out.
func addressAnswer(zone string, addresses ...netip.Addr) names.Answer {
	a := names.Answer{Zone: zone, NegativeTTL: nameTTL}
	for _, one := range addresses {
		if one.IsValid() {
			a.Records = append(a.Records, names.Record{TTL: nameTTL, Address: one.Unmap()})
		}
	}
	return a
}

// apiNames are the names of the APIs.
type apiNames struct {
	domain     string     // the domain's own name is the APIs' too
	advertised string     // a name that clients use; tasks reach it by the gateway
	gateway    netip.Addr // of tasks; zero: they do not reach the APIs
	listen     netip.Addr
}

func (p *parts) apiNames(at reach) apiNames {
	n := apiNames{domain: p.cfg.Domain, listen: at.listen.Addr().Unmap()}
	if host, ok := p.engine.(gateway); ok {
		n.gateway = host.Gateway()
	}
	if host, _ := splitAdvertise(p.cfg.Advertise); net.ParseIP(host) == nil && host != "localhost" {
		n.advertised = strings.ToLower(host)
	}
	return n
}

// gateway is an engine whose tasks reach the server at an address.
type gateway interface{ Gateway() netip.Addr }

// dataPrefix is what SDKs put before the host that they call DiscoverInstances
// at, whatever that host is.
const dataPrefix = "data-"

// Lookup implements names.Source.
func (n apiNames) Lookup(name string, view names.View) (names.Answer, bool) {
	host, data := strings.CutPrefix(name, dataPrefix)
	if data && view.From != names.World {
		if a, err := netip.ParseAddr(host); err == nil && (a == n.gateway || a == n.listen) {
			return addressAnswer(name, a), true
		}
		if a, known := n.Lookup(host, view); known {
			return a, true
		}
	}
	switch {
	case name == "":
	case name == apiName && view.From != names.World, name == n.domain:
		return addressAnswer(name, n.address(view)), true
	case name == n.advertised && view.From == names.Task:
		return addressAnswer(name, n.gateway), true
	}
	return names.Answer{}, false
}

func (n apiNames) address(view names.View) netip.Addr {
	switch {
	case view.From == names.Task:
		return n.gateway
	case view.From == names.World && n.listen.IsLoopback():
		return netip.Addr{}
	case n.listen.IsUnspecified():
		return view.At
	}
	return n.listen
}

// hostNames are the names that a VPC's resolver makes of its addresses, and the
// way back. Others in the same domain are not ours: the server may run on EC2.
type hostNames struct {
	place model.Place
	has   func(netip.Addr) bool // whether an address is of a network that tasks are in
}

const reverseZone = ".in-addr.arpa"

// Lookup implements names.Source.
func (h hostNames) Lookup(name string, view names.View) (names.Answer, bool) {
	if view.From == names.World {
		return names.Answer{}, false
	}
	if reversed, ok := strings.CutSuffix(name, reverseZone); ok {
		parts := strings.Split(reversed, ".")
		slices.Reverse(parts)
		a, err := netip.ParseAddr(strings.Join(parts, "."))
		if err != nil || !h.has(a) {
			return names.Answer{}, false
		}
		return names.Answer{Zone: name, Records: []names.Record{{TTL: nameTTL, Pointer: h.place.PrivateDNSName(a.String())}}}, true
	}
	host, _, _ := strings.Cut(name, ".")
	digits, ok := strings.CutPrefix(host, "ip-")
	if !ok {
		return names.Answer{}, false
	}
	a, err := netip.ParseAddr(strings.ReplaceAll(digits, "-", "."))
	if err != nil || !h.has(a) || name != h.place.PrivateDNSName(a.String()) {
		return names.Answer{}, false
	}
	return addressAnswer(name, a), true
}

// domainNames say of the rest of the server's own domain that there is nothing,
// and of names below localhost that they are loopback (RFC 6761, 6.3).
type domainNames struct{ domain string }

// Lookup implements names.Source.
func (d domainNames) Lookup(name string, _ names.View) (names.Answer, bool) {
	switch zone := names.Zone(name, []string{d.domain, "elb.localhost", "localhost"}); zone {
	case "":
		return names.Answer{}, false
	case "localhost":
		return addressAnswer(zone, netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()), true
	default:
		return names.Answer{Zone: zone, Missing: true, NegativeTTL: nameTTL}, true
	}
}
