package collect

import (
	"slices"
	"strconv"
	"strings"

	"neargate/internal/model"
)

const ecsNamespace = "AWS/ECS"

// connects publishes the metrics of Service Connect (available-metrics, "Service
// Connect"): what an endpoint got under DiscoveryName, what clients had of it
// under TargetDiscoveryName, each also with the service and its cluster. What did
// not happen is not published.
func (s *second) connects(prev, cur []model.ConnectTraffic) {
	type key struct{ discovery, cluster, service string }
	before := map[key]model.ConnectTraffic{}
	for _, e := range prev {
		before[key{e.DiscoveryName, e.Cluster, e.Service}] = e
	}
	for _, e := range cur {
		was := before[key{e.DiscoveryName, e.Cluster, e.Service}]
		for _, dims := range endpointDimensions("DiscoveryName", e.DiscoveryName, e.Cluster, e.Service) {
			s.count("RequestCount", dims, delta(was.Requests, e.Requests))
			s.count("NewConnectionCount", dims, delta(was.NewConns, e.NewConns))
			s.bytes("ProcessedBytes", dims, delta(was.Bytes, e.Bytes))
			if e.ActiveConns > 0 {
				s.gauge(ecsNamespace, "ActiveConnectionCount", "Count", dims, float64(e.ActiveConns))
			}
		}
		clients := map[key]model.ConnectClientTraffic{}
		for _, c := range was.Clients {
			clients[key{"", c.Cluster, c.Service}] = c
		}
		for _, c := range e.Clients {
			s.connectClient(e, clients[key{"", c.Cluster, c.Service}], c)
		}
	}
}

// connectClient publishes what the tasks of one service had of an endpoint.
func (s *second) connectClient(e model.ConnectTraffic, was, now model.ConnectClientTraffic) {
	answered := bucketsDelta(was.ResponseTime, now.ResponseTime)
	requests := delta(was.Requests, now.Requests)
	for _, dims := range endpointDimensions("TargetDiscoveryName", e.DiscoveryName, now.Cluster, now.Service) {
		for class := 2; class <= 5; class++ {
			s.count("HTTPCode_Target_"+strconv.Itoa(class)+"XX_Count", dims, delta(was.Status[class], now.Status[class]))
		}
		if requests > 0 && e.Targets > 0 {
			s.add(model.Datum{ID: ecsMetric("RequestCountPerTarget", dims), Unit: "Count", Values: []float64{float64(requests) / float64(e.Targets)}})
		}
		s.bytes("TargetProcessedBytes", dims, delta(was.Bytes, now.Bytes))
		if len(answered.Values) > 0 {
			s.add(distribution(ecsMetric("TargetResponseTime", dims), "Milliseconds", milliseconds(answered)))
		}
	}
}

// milliseconds turns a distribution of seconds into one of milliseconds.
func milliseconds(b model.Buckets) model.Buckets {
	out := model.Buckets{Values: make([]float64, len(b.Values)), Counts: b.Counts, Sum: 1000 * b.Sum}
	for i, v := range b.Values {
		out.Values[i] = 1000 * v
	}
	return out
}

// endpointDimensions are those of an endpoint alone, and with a service.
func endpointDimensions(name, discovery, cluster, service string) [][]model.Dimension {
	alone := []model.Dimension{{Name: name, Value: discovery}}
	if service == "" { // tasks of no service
		return [][]model.Dimension{alone}
	}
	all := []model.Dimension{alone[0], {Name: "ClusterName", Value: cluster}, {Name: "ServiceName", Value: service}}
	slices.SortFunc(all, func(a, b model.Dimension) int { return strings.Compare(a.Name, b.Name) })
	return [][]model.Dimension{alone, all}
}

func (s *second) count(name string, dims []model.Dimension, n uint64) {
	if n > 0 {
		s.add(model.Datum{ID: ecsMetric(name, dims), Unit: "Count", Values: []float64{1}, Counts: []float64{float64(n)}})
	}
}

func (s *second) bytes(name string, dims []model.Dimension, n uint64) {
	if n > 0 {
		s.add(model.Datum{ID: ecsMetric(name, dims), Unit: "Bytes", Values: []float64{float64(n)}})
	}
}

func ecsMetric(name string, dims []model.Dimension) model.MetricID {
	return model.MetricID{Namespace: ecsNamespace, Name: name, Dimensions: dims}
}
