package balancer

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/decide/firewall"
	"neargate/internal/model"
)

// loadBalancer is a live load balancer.
type loadBalancer struct {
	arn     string
	source  netip.Addr // among the targets: it connects to them from it, and they to it; zero: none
	conf    atomic.Pointer[lbConf]
	local   func(client netip.Addr) bool     // whom its groups are not asked about
	ingress atomic.Pointer[firewall.Ingress] // whom its groups let in from outside
	traffic lbTraffic
	logs    [accesslog.Kinds]accesslog.Stream
}

// lbConf is what a load balancer's record says, read once. Immutable.
type lbConf struct {
	name, resource string   // "NAME", "app/NAME/ID"
	names          []string // as front.HostName makes them, the DNS name first
	address        netip.Addr
	createdAt      time.Time
	internetFacing bool
	ipv4, ipv6     bool // whether clients from outside reach it so
	tellTLS        bool // targets, how TLS was agreed on
	groups         []string
	http2          bool              // routing.http2.enabled
	settings       exchange.Settings // but for what is the listener's
	logs           [accesslog.Kinds]accesslog.Place
}

// faces reports whether clients from outside reach the load balancer at an
// address, or one of its family.
func (c *lbConf) faces(a netip.Addr) bool {
	return c.internetFacing && (c.ipv4 && a.Is4() || c.ipv6 && a.Is6())
}

func (b *Balancer) readLoadBalancer(lb model.LoadBalancer) *lbConf {
	a := lb.Attributes
	s := exchange.DefaultSettings()
	s.IdleTimeout = time.Duration(number(a, "idle_timeout.timeout_seconds", 60)) * time.Second
	s.ClientKeepAlive = time.Duration(number(a, "client_keep_alive.seconds", 3600)) * time.Second
	s.PreserveHost = a["routing.http.preserve_host_header.enabled"] == "true"
	s.ClientPort = a["routing.http.xff_client_port.enabled"] == "true"
	s.Strict = a[model.StrictAttribute] == "true"
	s.DropInvalid = a["routing.http.drop_invalid_header_fields.enabled"] == "true"
	switch a["routing.http.xff_header_processing.mode"] {
	case "preserve":
		s.ForwardedFor = exchange.PreserveForwarded
	case "remove":
		s.ForwardedFor = exchange.RemoveForwarded
	}
	switch a["routing.http.desync_mitigation_mode"] {
	case "monitor":
		s.Desync = exchange.Monitor
	case "strictest":
		s.Desync = exchange.Strictest
	}
	c := &lbConf{
		name: lb.Name, resource: "app/" + lb.Name + "/" + lb.ID, createdAt: lb.CreatedAt, groups: lb.SecurityGroups, settings: s, internetFacing: lb.Scheme == "internet-facing",
		ipv4: lb.IPAddressType != "dualstack-without-public-ipv4", ipv6: strings.HasPrefix(lb.IPAddressType, "dualstack"),
	}
	c.tellTLS = a["routing.http.x_amzn_tls_version_and_cipher_suite.enabled"] == "true"
	c.http2 = a["routing.http2.enabled"] != "false"
	c.address, _ = netip.ParseAddr(lb.Address) // our own
	for kind := range c.logs {
		c.logs[kind] = b.logPlace(lb, c, accesslog.Kind(kind))
	}
	for _, name := range append([]string{lb.DNSName}, b.aliases(lb)...) {
		c.names = append(c.names, front.HostName(name))
	}
	return c
}

// addresses returns the addresses that are the load balancer's alone.
func (lb *loadBalancer) addresses() []netip.Addr {
	own := []netip.Addr{lb.conf.Load().address}
	if lb.source.IsValid() {
		own = append(own, lb.source)
	}
	return own
}

// The protocols that clients ask for by ALPN.
const (
	protocolHTTP1 = "http/1.1"
	protocolHTTP2 = "h2"
)

// protocols are what HTTPS listeners offer.
func (c *lbConf) protocols() []string {
	if c.http2 {
		return []string{protocolHTTP2, protocolHTTP1}
	}
	return []string{protocolHTTP1}
}

// at returns the settings of a listener.
func (c *lbConf) at(l *listener) *exchange.Settings {
	s := c.settings
	s.Port, s.Proto = l.port, l.protocol()
	return &s
}

// CreateLoadBalancer creates a load balancer from lb and returns it
// with ARN, ID, DNSName, Address, State and CreatedAt set; it is active at
// once. Codes: DuplicateLoadBalancerName.
func (b *Balancer) CreateLoadBalancer(ctx context.Context, lb model.LoadBalancer) (model.LoadBalancer, error) {
	if err := b.up(ctx); err != nil {
		return lb, err
	}
	b.control.Lock()
	defer b.control.Unlock()
	for _, other := range b.tables.lbs.List("") {
		if other.Name == lb.Name {
			return lb, model.Errorf(model.Conflict, "DuplicateLoadBalancerName",
				"A load balancer with the same name '%s' exists, but with different settings", lb.Name)
		}
	}
	lb.ID = newID()
	lb.ARN = b.cfg.Place.LoadBalancerARN(lb.Name, lb.ID)
	lb.DNSName = b.dnsName(lb)
	lb.Address = b.freeAddress()
	lb.State = "active"
	lb.CreatedAt = time.Now().UTC()
	source, err := b.openSource(lb)
	if err != nil {
		return lb, err
	}
	lb.Source = source
	if err := b.tables.lbs.Put(ctx, lb.ARN, lb); err != nil {
		b.dropSource(lb.ARN)
		return lb, err
	}
	b.addLoadBalancer(lb, source)
	return lb, nil
}

func (b *Balancer) addLoadBalancer(lb model.LoadBalancer, source netip.Addr) {
	live := &loadBalancer{arn: lb.ARN, source: source, local: b.cfg.Local}
	live.conf.Store(b.readLoadBalancer(lb))
	b.relog(live)
	b.mu.Lock()
	defer b.mu.Unlock()
	live.admit(b.policy)
	b.lbs[lb.ARN] = live
}

// freeAddress returns a loopback address that none of our load balancers has. It
// is drawn at random, as other servers on this machine draw from the same.
func (b *Balancer) freeAddress() string {
	taken := map[string]bool{}
	for _, lb := range b.tables.lbs.List("") {
		taken[lb.Address] = true
	}
	for {
		a := fmt.Sprintf("127.%d.%d.%d", 64+rand.IntN(64), rand.IntN(256), 1+rand.IntN(254))
		if !taken[a] {
			return a
		}
	}
}

// newID is the random part of an ARN: 16 hex digits.
func newID() string {
	var id [8]byte
	_, _ = crand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// LoadBalancers returns all load balancers, by ARN, in their present state.
func (b *Balancer) LoadBalancers() []model.LoadBalancer {
	all := b.tables.lbs.List("")
	for i := range all {
		all[i] = b.observe(all[i])
	}
	return all
}

// LoadBalancer returns the load balancer with the ARN, in its present state.
func (b *Balancer) LoadBalancer(arn string) (model.LoadBalancer, bool) {
	lb, ok := b.tables.lbs.Get(arn)
	return b.observe(lb), ok
}

// observe sets the state of a load balancer whose listeners are not all open, or
// not everywhere: another process has taken a port. API_LoadBalancerState:
// active_impaired routes traffic but lacks resources, failed could not be set up.
func (b *Balancer) observe(lb model.LoadBalancer) model.LoadBalancer {
	closed, why := b.front.Failure(of(lb.ARN))
	if why == "" {
		return lb
	}
	lb.State, lb.StateReason = "active_impaired", why
	if closed > 0 && closed == len(b.Listeners(lb.ARN)) {
		lb.State = "failed"
	}
	return lb
}

// UpdateLoadBalancer lets change make a new record of a load balancer, stores it
// and puts it in force. What names it (ARN, DNSName, Address) must not change.
// Codes: LoadBalancerNotFound; an error of change is returned as it is.
func (b *Balancer) UpdateLoadBalancer(ctx context.Context, arn string, change func(*model.LoadBalancer) error) (model.LoadBalancer, error) {
	if err := b.up(ctx); err != nil {
		return model.LoadBalancer{}, err
	}
	b.control.Lock()
	defer b.control.Unlock()
	lb, err := b.tables.lbs.Update(ctx, arn, func(lb model.LoadBalancer, exists bool) (model.LoadBalancer, error) {
		if !exists {
			return lb, errNoLoadBalancer(arn)
		}
		err := change(&lb)
		return lb, err
	})
	if err != nil {
		return lb, err
	}
	b.resettle(lb)
	_, err = b.openSource(lb)
	return lb, err
}

// resettle puts a load balancer's changed attributes in force.
func (b *Balancer) resettle(lb model.LoadBalancer) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	conf, live := b.readLoadBalancer(lb), b.lbs[lb.ARN]
	live.conf.Store(conf)
	b.relog(live)
	live.admit(b.policy)
	for _, l := range b.listeners {
		if l.lb.arn == lb.ARN {
			if record, ok := b.tables.listeners.Get(l.arn); ok {
				b.secure(l, record)
			}
			b.front.Settle(l)
		}
	}
}

// DeleteLoadBalancer deletes a load balancer with its listeners and rules. Its
// target groups stay. Codes: LoadBalancerNotFound, OperationNotPermitted.
func (b *Balancer) DeleteLoadBalancer(ctx context.Context, arn string) error {
	if err := b.up(ctx); err != nil {
		return err
	}
	b.control.Lock()
	defer b.control.Unlock()
	lb, ok := b.tables.lbs.Get(arn)
	if !ok {
		return errNoLoadBalancer(arn)
	}
	if lb.Attributes["deletion_protection.enabled"] == "true" {
		return model.Errorf(model.Conflict, "OperationNotPermitted",
			"Load balancer '%s' cannot be deleted because deletion protection is enabled", arn)
	}
	var failed error
	for _, l := range b.Listeners(arn) {
		failed = errors.Join(failed, b.deleteListener(ctx, l))
	}
	if failed != nil {
		return failed
	}
	if _, err := b.tables.lbs.Delete(ctx, arn); err != nil {
		return err
	}
	b.mu.Lock()
	for i := range b.lbs[arn].logs {
		b.retire(b.lbs[arn].logs[i].SetLog(nil))
		b.lbs[arn].logs[i].End()
	}
	delete(b.lbs, arn)
	b.mu.Unlock()
	b.dropSource(arn)
	return nil
}
