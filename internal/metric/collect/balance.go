package collect

import (
	"slices"
	"strconv"

	"neargate/internal/model"
)

const elbNamespace = "AWS/ApplicationELB"

// The reporting rules are those of "CloudWatch metrics for your Application
// Load Balancer": RequestCount and RequestCountPerTarget are always there, the
// others only when they are not zero.

// targetGroups publishes the metrics of target groups that a load balancer
// uses, by target group and summed up by load balancer.
func (s *second) targetGroups(groups []model.TargetGroupTraffic) {
	sums := map[string]model.TargetGroupTraffic{}
	var order []string
	for i := range groups {
		g := s.groups[groups[i].TargetGroupARN]
		if g.LoadBalancerARN == "" {
			continue
		}
		group := model.Dimension{Name: "TargetGroup", Value: resource(g.TargetGroupARN)}
		both := []model.Dimension{{Name: "LoadBalancer", Value: balancerName(g.LoadBalancerARN)}, group}
		s.targets(g, both)
		s.perTarget(g, both)
		s.perTarget(g, []model.Dimension{group})
		if g.Healthy+g.Unhealthy > 0 {
			s.gauge(elbNamespace, "HealthyHostCount", "Count", both, float64(g.Healthy))
			s.gauge(elbNamespace, "UnHealthyHostCount", "Count", both, float64(g.Unhealthy))
		}
		s.states(g, both)
		s.spared(g, both, true)
		if _, seen := sums[g.LoadBalancerARN]; !seen {
			order = append(order, g.LoadBalancerARN)
		}
		sums[g.LoadBalancerARN] = plus(sums[g.LoadBalancerARN], g)
	}
	for _, arn := range order {
		dims := []model.Dimension{{Name: "LoadBalancer", Value: balancerName(arn)}}
		s.targets(sums[arn], dims)
		s.spared(sums[arn], dims, false)
	}
}

// spared publishes, under our own name, what was answered though an ALB would have
// failed it, and by reason where those are wanted.
func (s *second) spared(g model.TargetGroupTraffic, dims []model.Dimension, byReason bool) {
	id := model.MetricID{Namespace: model.OwnNamespace, Name: model.WouldHaveFailed, Dimensions: dims}
	var all uint64
	for _, x := range g.Spared {
		all += x.Count
		if byReason {
			why := id
			why.Dimensions = slices.Insert(slices.Clone(dims), 1, model.Dimension{Name: "Reason", Value: x.Reason}) // by name
			s.add(model.Datum{ID: why, Unit: "Count", Values: []float64{1}, Counts: []float64{float64(x.Count)}})
		}
	}
	if all > 0 {
		s.add(model.Datum{ID: id, Unit: "Count", Values: []float64{1}, Counts: []float64{float64(all)}})
	}
}

// plus adds what targets() needs of two groups.
func plus(a, b model.TargetGroupTraffic) model.TargetGroupTraffic {
	a.Arrivals += b.Arrivals
	a.Requests += b.Requests
	for i := range a.Status {
		a.Status[i] += b.Status[i]
	}
	a.ConnErrors += b.ConnErrors
	a.Spared = slices.Concat(a.Spared, b.Spared)
	a.ResponseTime = join(a.ResponseTime, b.ResponseTime)
	return a
}

// join puts two distributions together. A value may come twice: the store adds
// them up.
func join(a, b model.Buckets) model.Buckets {
	if len(a.Values) == 0 {
		return b
	}
	return model.Buckets{
		Values: slices.Concat(a.Values, b.Values), Counts: slices.Concat(a.Counts, b.Counts), Sum: a.Sum + b.Sum,
	}
}

func (s *second) targets(g model.TargetGroupTraffic, dims []model.Dimension) {
	s.events("RequestCount", dims, g.Requests)
	for class := 2; class <= 5; class++ {
		s.eventsIfAny("HTTPCode_Target_"+strconv.Itoa(class)+"XX_Count", dims, g.Status[class])
	}
	s.eventsIfAny("TargetConnectionErrorCount", dims, g.ConnErrors)
	s.responseTime(g.ResponseTime, dims)
}

// states publishes what is wrong with a target group's targets. A zone is in a
// state or not; there is one.
func (s *second) states(g model.TargetGroupTraffic, dims []model.Dimension) {
	s.eventsIfAny("UnhealthyRoutingRequestCount", dims, g.FailOpen)
	for _, m := range []struct {
		name  string
		count int
	}{
		{"AnomalousHostCount", g.Anomalous},
		{"MitigatedHostCount", g.Mitigated},
		{"UnhealthyStateRouting", one(g.Failing)},
		{"UnhealthyStateDNS", one(g.Hidden)},
	} {
		if m.count > 0 {
			s.gauge(elbNamespace, m.name, "Count", dims, float64(m.count))
		}
	}
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// perTarget publishes RequestCountPerTarget; without a healthy target it is 0.
func (s *second) perTarget(g model.TargetGroupTraffic, dims []model.Dimension) {
	v := 0.0
	if g.Healthy > 0 {
		v = float64(g.Arrivals) / float64(g.Healthy)
	}
	s.add(model.Datum{ID: elbMetric("RequestCountPerTarget", dims), Values: []float64{v}})
}

func (s *second) responseTime(b model.Buckets, dims []model.Dimension) {
	if len(b.Values) > 0 {
		s.add(distribution(elbMetric("TargetResponseTime", dims), "Seconds", b))
	}
}

// distribution is a datapoint of all values of a histogram that is not empty.
func distribution(id model.MetricID, unit string, b model.Buckets) model.Datum {
	counts := make([]float64, len(b.Counts))
	stats := model.StatisticSet{Sum: b.Sum, Minimum: b.Values[0], Maximum: b.Values[0]}
	for i, n := range b.Counts {
		counts[i] = float64(n)
		stats.SampleCount += counts[i]
		stats.Minimum = min(stats.Minimum, b.Values[i])
		stats.Maximum = max(stats.Maximum, b.Values[i])
	}
	return model.Datum{ID: id, Unit: unit, Values: b.Values, Counts: counts, Stats: &stats}
}

// loadBalancers publishes what load balancers do themselves.
func (s *second) loadBalancers(prev, cur []model.LoadBalancerTraffic) {
	before := make(map[string]model.LoadBalancerTraffic, len(prev))
	for _, b := range prev {
		before[b.LoadBalancerARN] = b
	}
	for _, b := range cur {
		was := before[b.LoadBalancerARN]
		dims := []model.Dimension{{Name: "LoadBalancer", Value: balancerName(b.LoadBalancerARN)}}
		for class := 3; class <= 5; class++ {
			s.eventsIfAny("HTTPCode_ELB_"+strconv.Itoa(class)+"XX_Count", dims, delta(was.ELBStatus[class], b.ELBStatus[class]))
		}
		for _, m := range []struct {
			name     string
			was, now uint64
		}{
			{"HTTPCode_ELB_500_Count", was.ELB500, b.ELB500},
			{"HTTPCode_ELB_502_Count", was.ELB502, b.ELB502},
			{"HTTPCode_ELB_503_Count", was.ELB503, b.ELB503},
			{"HTTPCode_ELB_504_Count", was.ELB504, b.ELB504},
			{"NewConnectionCount", was.NewConns, b.NewConns},
			{"RejectedConnectionCount", was.RejectedConns, b.RejectedConns},
			{"ClientTLSNegotiationErrorCount", was.TLSErrors, b.TLSErrors},
			{"HTTP_Fixed_Response_Count", was.FixedResponses, b.FixedResponses},
			{"HTTP_Redirect_Count", was.Redirects, b.Redirects},
			{"RuleEvaluations", was.Evaluations, b.Evaluations},
			{"DesyncMitigationMode_NonCompliant_Request_Count", was.NonCompliant, b.NonCompliant},
			{"DroppedInvalidHeaderRequestCount", was.DroppedInvalid, b.DroppedInvalid},
			{"NonStickyRequestCount", was.NonSticky, b.NonSticky},
		} {
			s.eventsIfAny(m.name, dims, delta(m.was, m.now))
		}
		if n := delta(was.ProcessedBytes, b.ProcessedBytes); n > 0 {
			s.add(model.Datum{ID: elbMetric("ProcessedBytes", dims), Unit: "Bytes", Values: []float64{float64(n)}})
		}
		if lcu := units(was, b); lcu > 0 {
			s.gauge(elbNamespace, "ConsumedLCUs", "Count", dims, lcu)
		}
		if b.ActiveConns > 0 {
			s.gauge(elbNamespace, "ActiveConnectionCount", "Count", dims, float64(b.ActiveConns))
		}
	}
}

// units returns the load balancer capacity units of a second: the most that one of
// their four measures makes (Elastic Load Balancing pricing).
//
// 50 new connections, 1,500 open ones, 1 MB and 400 evaluations beyond the free ones
// are 2, 0.5, 3.6 and 0.4: 3.6 units.
func units(was, now model.LoadBalancerTraffic) float64 {
	const free = 10 // evaluations that each request has free
	evaluations := float64(delta(was.Evaluations, now.Evaluations)) - free*float64(delta(was.Requests, now.Requests))
	return max(
		float64(delta(was.NewConns, now.NewConns))/25,
		float64(now.ActiveConns)/3000,
		float64(delta(was.ProcessedBytes, now.ProcessedBytes))*3600/1e9,
		evaluations/1000,
	)
}

// events publishes n events, each as the value 1: AWS's Sum and SampleCount
// are their number, Average, Minimum and Maximum are 1.
func (s *second) events(name string, dims []model.Dimension, n uint64) {
	s.add(model.Datum{ID: elbMetric(name, dims), Unit: "Count", Values: []float64{1}, Counts: []float64{float64(n)}})
}

func (s *second) eventsIfAny(name string, dims []model.Dimension, n uint64) {
	if n > 0 {
		s.events(name, dims, n)
	}
}

func elbMetric(name string, dims []model.Dimension) model.MetricID {
	return model.MetricID{Namespace: elbNamespace, Name: name, Dimensions: dims}
}

// balancerName returns app/NAME/ID of a load balancer's ARN.
func balancerName(arn string) string { return model.ARNTail(arn, 1) }

// resource returns targetgroup/NAME/ID of a target group's ARN.
func resource(arn string) string {
	a, ok := model.ParseARN(arn)
	if !ok {
		return arn
	}
	return a.Resource
}
