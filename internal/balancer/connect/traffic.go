package connect

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/latency"
	"neargate/internal/model"
)

// traffic counts what happens at an endpoint.
type traffic struct {
	requests, newConns, bytes atomic.Uint64
	conns                     atomic.Int64 // open now
}

// client counts what tasks of one service do at an endpoint.
type client struct {
	requests, bytes atomic.Uint64
	status          [6]atomic.Uint64
	response        latency.Histogram
}

func (e *endpoint) clientOf(name clientName) *client {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.clients[name]
	if c == nil {
		c = &client{}
		e.clients[name] = c
	}
	return c
}

// outcome counts how one try at a target ended.
func (c *client) outcome(o *exchange.Outcome) {
	c.bytes.Add(uint64(max(o.In+o.Out, 0)))
	if o.Status == 0 {
		return
	}
	c.status[min(max(o.Status/100, 0), 5)].Add(1)
	c.response.Observe(o.ResponseTime)
}

// ConnectTraffic returns what happened at each endpoint since the server started.
func (c *Connect) ConnectTraffic() []model.ConnectTraffic {
	var out []model.ConnectTraffic
	for _, e := range c.all() {
		if o := e.offer.Load(); o.service != "" {
			out = append(out, e.read(o))
		}
	}
	slices.SortFunc(out, func(a, b model.ConnectTraffic) int {
		return cmp.Or(strings.Compare(a.DiscoveryName, b.DiscoveryName), strings.Compare(a.Cluster, b.Cluster), strings.Compare(a.Service, b.Service))
	})
	return out
}

func (e *endpoint) read(o *offer) model.ConnectTraffic {
	t := model.ConnectTraffic{
		DiscoveryName: o.Discovery(), Cluster: o.cluster, Service: o.service,
		Requests: e.traffic.requests.Load(), NewConns: e.traffic.newConns.Load(), Bytes: e.traffic.bytes.Load(),
		ActiveConns: int(e.traffic.conns.Load()), Targets: len(*e.serving.Load()),
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, c := range e.clients {
		one := model.ConnectClientTraffic{
			Cluster: name.cluster, Service: name.service,
			Requests: c.requests.Load(), Bytes: c.bytes.Load(), ResponseTime: c.response.Read(e.c.scale),
		}
		for i := range c.status {
			one.Status[i] = c.status[i].Load()
		}
		t.Clients = append(t.Clients, one)
	}
	slices.SortFunc(t.Clients, func(a, b model.ConnectClientTraffic) int {
		return cmp.Or(strings.Compare(a.Cluster, b.Cluster), strings.Compare(a.Service, b.Service))
	})
	return t
}
