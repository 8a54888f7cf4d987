package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"neargate/internal/handover"
	"neargate/internal/metadata"
	"neargate/internal/model"
	"neargate/internal/names"
	"neargate/internal/runtime"
	"neargate/internal/scheduler"
)

// taskPorts are the sockets at which tasks reach the server: ports of the
// gateway that the kernel chose, so that none is taken from programs of this
// machine. The engine leads to them what tasks send to the known ones.
type taskPorts struct {
	host     runtime.Host // nil: tasks do not reach the server
	sockets  *handover.Sockets
	metadata net.Listener
	api      net.Listener
	apiURL   string // as tasks know it

	mu  sync.Mutex
	led map[string][]runtime.Port // by who listens; guarded by mu
}

// lead leads tasks to the sockets of one who listens for them, and nowhere any
// more that its last call named.
func (p *taskPorts) lead(who string, ports []runtime.Port) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.led[who] = ports
	return p.host.OpenPorts(slices.Concat(slices.Collect(maps.Values(p.led))...))
}

// listen opens a socket that tasks can be led to.
func (p *taskPorts) listen(ctx context.Context, how net.ListenConfig, who string) (net.Listener, error) {
	return p.sockets.Listen(ctx, how, who, "tcp4", netip.AddrPortFrom(p.host.Gateway(), 0).String())
}

// brief is for connections that are for one request of the client's: it is
// there when one is accepted, since a server that is woken for the connection
// and again for the request takes a third more CPU for it, and nothing is set up
// for a long life.
func brief() net.ListenConfig {
	return net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, socket syscall.RawConn) error {
		const silence = 1 // seconds; a connection without a byte is accepted then
		var failed error
		err := socket.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_TCP, unix.TCP_DEFER_ACCEPT, silence)
		})
		return cmp.Or(err, failed)
	}}
}

// namesPort is where programs ask for names.
const namesPort = 53

// amazonDNS is where programs ask in any VPC, beside what they were told [VPC
// guide, "Amazon DNS server"].
const amazonDNS = "169.254.169.253"

// apiPort is the port of the gateway at which tasks find the APIs, whatever port
// the server listens on: tasks outlive it, and keep what they were told.
const apiPort = 4566

// openTaskPorts listens for tasks, where they run on this machine.
func openTaskPorts(ctx context.Context, sockets *handover.Sockets, engine runtime.Engine, dns *names.Server) (p *taskPorts, err error) {
	p = &taskPorts{sockets: sockets, led: map[string][]runtime.Port{}}
	host, ok := engine.(runtime.Host)
	if !ok {
		return p, nil
	}
	p.host, p.apiURL = host, "http://"+netip.AddrPortFrom(host.Gateway(), apiPort).String()
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("listen for tasks: %w", err), p.close())
		}
	}()
	gateway := host.Gateway()
	if p.metadata, err = p.listen(ctx, brief(), "metadata"); err != nil {
		return p, err
	}
	if p.api, err = p.listen(ctx, net.ListenConfig{}, "task-apis"); err != nil {
		return p, err
	}
	asked, err := dns.Listen(ctx, netip.AddrPortFrom(gateway, 0), names.Task)
	if err != nil {
		return p, err
	}
	var ports []runtime.Port
	for _, at := range []netip.Addr{gateway, netip.MustParseAddr(amazonDNS)} {
		for _, udp := range []bool{true, false} {
			ports = append(ports, runtime.Port{Address: netip.AddrPortFrom(at, namesPort), Listener: asked.Port(), UDP: udp})
		}
	}
	return p, p.lead("server", append(ports, []runtime.Port{
		{Address: netip.AddrPortFrom(netip.MustParseAddr(metadata.Address), 80), Listener: port(p.metadata.Addr())},
		{Address: netip.AddrPortFrom(gateway, apiPort), Listener: port(p.api.Addr())},
	}...))
}

// door is where tasks find the APIs.
func (p *taskPorts) door(apis http.Handler) door {
	return door{name: "the APIs to tasks", listener: p.api, handler: apis, most: taskConns(), each: maxConnsEach}
}

// platform is what tasks are told of where they run.
func (p *taskPorts) platform() scheduler.Platform {
	if p.host == nil {
		return scheduler.Platform{}
	}
	return scheduler.Platform{Metadata: "http://" + metadata.Address, Endpoints: endpoints(p.apiURL)}
}

// maxConnsEach is how many connections a task may have to one service.
const maxConnsEach = 32

func (p *taskPorts) close() error {
	var errs []error
	for _, l := range []net.Listener{p.metadata, p.api} {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// newMetadata makes the endpoint that tasks ask about themselves.
func (p *parts) newMetadata() *metadata.Metadata {
	cfg := metadata.Config{
		Place: p.cfg.Place, Subnet: p.engine.Capabilities().Network, Range: p.rangeOf, ConnState: newConnections(taskConns(), maxConnsEach).changed,
	}
	if p.taskPorts.host != nil {
		cfg.Gateway = p.taskPorts.host.Gateway()
	}
	return metadata.New(metadataTasks{p}, taskRoles{p}, protection{p}, cfg)
}

// rangeOf returns the range of a subnet.
func (p *parts) rangeOf(subnet string) (netip.Prefix, bool) {
	for _, s := range p.networks.Ranges([]string{subnet}) {
		return s.CIDR, true
	}
	return netip.Prefix{}, false
}

func port(a net.Addr) uint16 { return a.(*net.TCPAddr).AddrPort().Port() }

// metadataTasks is who asks the metadata endpoint.
type metadataTasks struct{ *parts }

// TaskAt returns the task that has the address.
func (t metadataTasks) TaskAt(address netip.Addr) (state model.RunState, record model.Task, ok bool) {
	if state, ok = t.taskPorts.host.TaskAt(address); !ok {
		return state, record, false
	}
	record, ok = t.ecs.Task(scheduler.ClusterOf(state), state.ID)
	return state, record, ok
}

// Usage returns what a running task has consumed until now.
func (t metadataTasks) Usage(id string) (model.TaskUsage, bool) { return t.engine.Usage(id) }

// TaskDefinition returns a definition by its ARN.
func (t metadataTasks) TaskDefinition(arn string) (model.TaskDefinition, bool) {
	return t.ecs.TaskDefinition(arn)
}
