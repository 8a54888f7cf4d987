package app

import (
	"context"
	"fmt"
	"net"
	"net/netip"
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
		OnTargetChange: func(endpoint string) { p.scheduler.TargetChanged(endpoint) },
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
	p.offer()
	p.scheduler.ServiceChanged(cluster, service)
}

// offer names the endpoints that there are to Service Connect.
func (p *parts) offer() {
	if err := p.connect.Offer(context.Background(), p.ecs.AllServices()); err != nil {
		p.log.Error("offer endpoints", "error", err)
	}
}

// connectWays leads tasks to endpoints.
type connectWays struct{ ports *taskPorts }

// Listen opens a socket that tasks can be led to.
func (w connectWays) Listen(ctx context.Context) (net.Listener, error) { return w.ports.listen(ctx) }

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
	return record, ok
}

// groups are the target groups and the endpoints that tasks belong into.
type groups struct {
	*balancer.Balancer
	connect *connect.Connect
}

// isEndpoint reports whether a group of tasks is an endpoint of Service Connect.
func isEndpoint(arn string) bool { return strings.Contains(arn, ":servicediscovery:") }

// RegisterTargets puts targets into a group.
func (g groups) RegisterTargets(ctx context.Context, arn string, targets []model.Target) error {
	if isEndpoint(arn) {
		return g.connect.RegisterTargets(ctx, arn, targets)
	}
	return g.Balancer.RegisterTargets(ctx, arn, targets)
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

// connectNamespaces are the namespaces of Service Connect: Cloud Map's.
type connectNamespaces struct{ *parts }

// Namespace returns the namespace with a name or ARN.
func (n connectNamespaces) Namespace(nameOrARN string) (model.Namespace, bool) {
	ns, ok := n.discovery.NamespaceNamed(nameOrARN)
	if strings.HasPrefix(nameOrARN, "arn:") {
		var err error
		ns, err = n.discovery.Namespace(nameOrARN)
		ok = err == nil && ns.ARN == nameOrARN
	}
	return model.Namespace{ARN: ns.ARN, Name: ns.Name}, ok
}

// CreateNamespace creates an HTTP namespace with a name.
func (n connectNamespaces) CreateNamespace(ctx context.Context, name string) (model.Namespace, error) {
	if _, err := n.discovery.CreateNamespace(ctx, model.DiscoveryNamespace{Name: name, Type: discovery.HTTP}); err != nil {
		return model.Namespace{}, err
	}
	ns, _ := n.Namespace(name)
	return ns, nil
}
