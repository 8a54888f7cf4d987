package app

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"neargate/internal/balancer"
	"neargate/internal/balancer/connect"
	"neargate/internal/discovery"
	"neargate/internal/model"
	"neargate/internal/runtime"
)

// openConnect makes Service Connect, which tasks reach where they run on this
// machine.
func (p *parts) openConnect() (err error) {
	cfg := connect.Config{
		Grace: 5 * time.Second, MaxConns: connectConns(), Peers: taskPeers{metadataTasks{p}},
		OnTargetChange: func(endpoint string) {
			p.registerEndpoints(context.Background(), p.ecs.AllServices())
			p.scheduler.TargetChanged(endpoint)
		},
	}
	if p.taskPorts.host != nil {
		cfg.Ways = connectWays{p.taskPorts}
	}
	if p.connect, err = connect.New(p.db, cfg, p.log.With("part", "connect")); err != nil {
		return fmt.Errorf("open Service Connect: %w", err)
	}
	return nil
}

// serviceChanged tells who acts on it that a service is to be otherwise.
func (p *parts) serviceChanged(cluster, service string) {
	p.offer(context.Background())
	p.scheduler.ServiceChanged(cluster, service)
}

// offer names the endpoints that there are to Service Connect.
func (p *parts) offer(ctx context.Context) {
	all := p.ecs.AllServices()
	if err := p.connect.Offer(ctx, all); err != nil {
		p.log.Error("offer endpoints", "error", err)
	}
	p.registerEndpoints(ctx, all)
}

// connectWays leads tasks to endpoints.
type connectWays struct{ ports *taskPorts }

// Listen opens a socket that tasks can be led to.
func (w connectWays) Listen(ctx context.Context, alias string) (net.Listener, error) {
	return w.ports.listen(ctx, net.ListenConfig{}, "connect "+alias)
}

// Lead leads tasks to such sockets.
func (w connectWays) Lead(to map[netip.AddrPort]uint16) error {
	var all []runtime.Port
	for address, listener := range to {
		all = append(all, runtime.Port{Address: address, Listener: listener})
	}
	return w.ports.lead("connect", all)
}

// taskPeers is who connects to an endpoint.
type taskPeers struct{ metadataTasks }

// TaskAt returns the record of the task that has the address.
func (t taskPeers) TaskAt(address netip.Addr) (model.Task, bool) {
	if t.taskPorts.host == nil {
		return model.Task{}, false
	}
	_, record, ok := t.metadataTasks.TaskAt(address)
	if len(record.Network.SecurityGroups) == 0 {
		record.Network.SecurityGroups = []string{t.networks.DefaultGroupOf(record.Place())}
	}
	return record, ok
}

// groups are the target groups and the endpoints that tasks belong into.
type groups struct {
	*balancer.Balancer
	connect *connect.Connect
	parts   *parts
}

// isEndpoint reports whether a group of tasks is an endpoint of Service Connect.
func isEndpoint(arn string) bool { return strings.Contains(arn, ":servicediscovery:") }

// RegisterTargets puts targets into a group.
func (g groups) RegisterTargets(ctx context.Context, arn string, targets []model.Target) error {
	if isEndpoint(arn) {
		return g.connect.RegisterTargets(ctx, arn, targets)
	}
	if err := g.checkVPC(arn, targets); err != nil {
		return err
	}
	return g.Balancer.RegisterTargets(ctx, arn, targets)
}

// checkVPC refuses tasks of another VPC than the target group's, which on AWS a
// service can have as well: what is refused is their registration.
func (g groups) checkVPC(arn string, targets []model.Target) error {
	tg, ok := g.TargetGroup(arn)
	if !ok || g.parts.taskPorts.host == nil {
		return nil
	}
	for _, target := range targets {
		a, err := netip.ParseAddr(target.IP)
		if err != nil {
			continue
		}
		_, record, known := metadataTasks{g.parts}.TaskAt(a)
		if vpc, _, ok := g.parts.networks.Subnet(record.Place()); known && ok && vpc != tg.VpcID {
			return model.Errorf(model.Invalid, "ValidationError",
				"The Availability Zone for IP address '%s' must be 'all' for Application Load Balancer target groups, when not within the VPC", target.IP)
		}
	}
	return nil
}

// DeregisterTargets takes targets out of a group.
func (g groups) DeregisterTargets(ctx context.Context, arn string, targets []model.Target) error {
	if isEndpoint(arn) {
		return g.connect.DeregisterTargets(ctx, arn, targets)
	}
	return g.Balancer.DeregisterTargets(ctx, arn, targets)
}

// DeregisterLostTargets takes the targets of a task that has ended out of a group.
func (g groups) DeregisterLostTargets(ctx context.Context, arn string, targets []model.Target) error {
	if isEndpoint(arn) {
		return g.connect.DeregisterLostTargets(ctx, arn, targets)
	}
	return g.Balancer.DeregisterLostTargets(ctx, arn, targets)
}

// TargetHealth returns the targets of a group.
func (g groups) TargetHealth(arn string) ([]model.TargetHealth, error) {
	if isEndpoint(arn) {
		return g.connect.TargetHealth(arn)
	}
	return g.Balancer.TargetHealth(arn)
}

// connectNamespaces are the namespaces of Cloud Map.
type connectNamespaces struct{ *parts }

// Namespace returns the namespace with a name or an ARN.
func (n connectNamespaces) Namespace(nameOrARN string) (model.Namespace, bool) {
	ns, ok := n.discovery.NamespaceNamed(nameOrARN)
	if strings.HasPrefix(nameOrARN, "arn:") {
		found, err := n.discovery.Namespace(nameOrARN)
		ns, ok = found, err == nil && found.ARN == nameOrARN
	}
	return model.Namespace{ARN: ns.ARN, Name: ns.Name}, ok
}

// CreateNamespace creates a namespace for API calls, as ECS does for a cluster.
func (n connectNamespaces) CreateNamespace(ctx context.Context, name string) (model.Namespace, error) {
	if name == "" || len(name) > 1024 || !namespaceForm.MatchString(name) {
		return model.Namespace{}, model.Errorf(model.Invalid, "InvalidParameterException", "Invalid namespace name: %s", name)
	}
	_, err := n.discovery.CreateNamespace(ctx, model.DiscoveryNamespace{Name: name, Type: discovery.HTTP})
	if err != nil {
		return model.Namespace{}, err
	}
	ns, _ := n.Namespace(name)
	return ns, nil
}

// namespaceForm is API_CreateHttpNamespace's.
var namespaceForm = regexp.MustCompile(`^[!-~]+$`)

// ofConnect marks the services of Cloud Map that are endpoints.
const ofConnect = "ecs-service-connect"

// registerEndpoints has Cloud Map know the endpoints, as ECS does, and forget
// those that nobody offers and no task belongs to.
func (p *parts) registerEndpoints(ctx context.Context, services []model.Service) {
	offered := map[string]bool{}
	for _, svc := range services {
		if svc.Connect == nil || svc.Status != model.Active {
			continue
		}
		for _, s := range svc.Connect.Services {
			offered[s.DiscoveryARN] = true
			if _, err := p.discovery.Service(s.DiscoveryARN); err == nil {
				continue
			}
			_, err := p.discovery.CreateService(ctx, model.DiscoveryService{
				ID: model.ARNTail(s.DiscoveryARN, 1), Name: s.Discovery(), NamespaceID: svc.Connect.NamespaceARN, Type: discovery.ServiceHTTP,
				Description: "Managed by " + svc.ARN, CreatorRequestID: ofConnect,
			})
			if err != nil {
				p.log.Warn("an endpoint is not known to Cloud Map", "endpoint", s.Discovery(), "service", svc.ARN, "error", err)
			}
		}
	}
	for _, s := range p.discovery.Services() {
		if s.CreatorRequestID != ofConnect || offered[s.ARN] {
			continue
		}
		if err := p.discovery.DeleteService(ctx, s.ARN); err != nil {
			p.log.Debug("an endpoint is still used", "endpoint", s.Name, "error", err) // its last task will tell
		}
	}
}
