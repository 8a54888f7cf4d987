package policy

import (
	"math"
	"slices"
	"time"

	"neargate/internal/decide/forecast"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// Modes and behaviours of predictive policies, and their defaults.
const (
	ForecastAndScale    = "ForecastAndScale" // the default is ForecastOnly
	IncreaseMaxCapacity = "IncreaseMaxCapacity"
	DefaultBuffer       = 300 * time.Second
)

// kind is what a metric of a predictive policy is about.
type kind string

const (
	cpu      kind = "CPUUtilization"
	memory   kind = "MemoryUtilization"
	requests kind = "RequestCount"
)

// pairs, scalingMetrics and loadMetrics are the predefined metrics: by their
// names the plain ones are pairs, averages scale, and totals are loads.
func pairs(t string) kind {
	return map[string]kind{"ECSServiceCPUUtilization": cpu, "ECSServiceMemoryUtilization": memory, "ALBRequestCount": requests}[t]
}

func scalingMetrics(t string) kind {
	return map[string]kind{
		string(scaling.CPU): cpu, string(scaling.Memory): memory, string(scaling.RequestsPerTarget): requests,
	}[t]
}

func loadMetrics(t string) kind {
	return map[string]kind{"ECSServiceTotalCPUUtilization": cpu, "ECSServiceTotalMemoryUtilization": memory, "TotalALBRequestCount": requests}[t]
}

// checkPredictive refuses configurations that AWS refuses.
func checkPredictive(p model.Predictive, svc model.Service) error {
	switch {
	case !(p.Metrics.Target > 0):
		return invalid("Target value must be greater than 0.")
	case p.Metrics.Target > largestTarget:
		return invalid("Target value must be at most 2^360.")
	case p.Buffer != nil && (*p.Buffer < 0 || *p.Buffer >= 3600):
		return invalid("SchedulingBufferTime must be from 0 to less than 3600 seconds.")
	case p.MaxBreach == IncreaseMaxCapacity && p.MaxBuffer == nil:
		return invalid("MaxCapacityBuffer is required when MaxCapacityBreachBehavior is IncreaseMaxCapacity.")
	case p.MaxBreach != IncreaseMaxCapacity && p.MaxBuffer != nil:
		return invalid("MaxCapacityBuffer can only be specified when MaxCapacityBreachBehavior is IncreaseMaxCapacity.")
	case p.MaxBuffer != nil && (*p.MaxBuffer < 0 || *p.MaxBuffer > 100):
		return invalid("MaxCapacityBuffer must be from 0 to 100 percent.")
	}
	return checkMetrics(p.Metrics, svc)
}

func checkMetrics(m model.PredictiveMetrics, svc model.Service) error {
	if both := m.Scaling.Given() && m.Load.Given(); m.Pair.Given() == both || !both && (m.Scaling.Given() || m.Load.Given()) {
		return invalid("A predictive scaling policy must have either a metric pair or both a scaling metric and a load metric.")
	}
	if m.Pair.Given() && m.Capacity.Given() {
		return invalid("A capacity metric cannot be specified together with a metric pair.")
	}
	for _, x := range []struct {
		metric model.PredictiveMetric
		kinds  func(string) kind
		role   string
	}{
		{m.Pair, pairs, "metric pair"},
		{m.Scaling, scalingMetrics, "scaling metric"},
		{m.Load, loadMetrics, "load metric"},
		{m.Capacity, func(string) kind { return "" }, "capacity metric"},
	} {
		if x.metric.Type != "" && x.metric.Queries != nil {
			return invalid("Only one of the predefined and the customized %s can be specified.", x.role)
		}
		if x.metric.Queries != nil {
			if err := checkQueries(x.metric.Queries); err != nil {
				return err
			}
		}
		k := x.kinds(x.metric.Type)
		switch {
		case x.metric.Type == "":
		case k == "":
			return invalid("Predefined metric type %s is not supported as the %s of a predictive scaling policy for ECS services.", x.metric.Type, x.role)
		case k == requests:
			if err := checkLabel(x.metric.Type, x.metric.ResourceLabel, svc); err != nil {
				return err
			}
		case x.metric.ResourceLabel != "":
			return invalid("Resource label should not be specified for predefined metric type %s", x.metric.Type)
		}
	}
	return nil
}

func checkQueries(queries []model.MetricQuery) error {
	if len(queries) == 0 {
		return invalid("The customized metric specification is not valid.")
	}
	return checkCustomized(model.CustomizedMetric{Queries: queries})
}

// Sources are what the forecast of a predictive policy is made from: queries of
// which one returns data, by the minute.
type Sources struct {
	Load []model.MetricQuery
	Own  bool // Load is customized: it may be published less often than each minute
	Mean bool // and an hour of it is the mean of its minutes, not their sum
	// Metric and Tasks tell what a task carries; nil where load and scaling
	// metric are of the same kind.
	Metric, Tasks []model.MetricQuery
}

// SourcesOf returns the sources of a predictive policy.
func SourcesOf(resourceID string, m model.PredictiveMetrics) Sources {
	if m.Pair.Given() {
		return Sources{Load: source(resourceID, pairs(m.Pair.Type), m.Pair.ResourceLabel, "Sum")}
	}
	out := Sources{Load: m.Load.Queries, Own: m.Load.Queries != nil, Metric: m.Scaling.Queries, Tasks: m.Capacity.Queries}
	l, s := loadMetrics(m.Load.Type), scalingMetrics(m.Scaling.Type)
	switch {
	case l == s && l != "" && out.Tasks == nil:
		out.Load = source(resourceID, l, m.Load.ResourceLabel, "Sum")
		return out
	case l != "":
		out.Load = source(resourceID, l, m.Load.ResourceLabel, "Sum")
	default:
		out.Mean = !sums(m.Load.Queries)
	}
	switch {
	case s == requests:
		out.Metric = source(resourceID, "RequestCountPerTarget", m.Scaling.ResourceLabel, "Sum")
	case s != "":
		out.Metric = source(resourceID, s, "", "Average")
	}
	if out.Tasks == nil {
		out.Tasks = source(resourceID, cpu, "", "SampleCount")
	}
	return out
}

// sums reports whether queries rest on sums alone, so that an hour is the sum of
// its minutes.
func sums(queries []model.MetricQuery) bool {
	return !slices.ContainsFunc(queries, func(q model.MetricQuery) bool {
		return q.Expression == "" && q.Statistic != "Sum" && q.Statistic != "SampleCount"
	})
}

func source(resourceID string, name kind, label, statistic string) []model.MetricQuery {
	id := model.MetricID{Namespace: "AWS/ECS", Name: string(name)}
	if label != "" {
		balancer, group, _ := splitLabel(label)
		id.Namespace = "AWS/ApplicationELB"
		id.Dimensions = []model.Dimension{{Name: "LoadBalancer", Value: balancer}, {Name: "TargetGroup", Value: group}}
	} else {
		cluster, service, _ := SplitResource(resourceID)
		id.Dimensions = []model.Dimension{{Name: "ClusterName", Value: cluster}, {Name: "ServiceName", Value: service}}
	}
	return []model.MetricQuery{{ID: "m", Metric: id, Statistic: statistic}}
}

// SameMetrics reports whether a forecast for one is a forecast for the other.
func SameMetrics(a, b model.PredictiveMetrics) bool {
	same := func(x, y model.PredictiveMetric) bool {
		return x.Type == y.Type && x.ResourceLabel == y.ResourceLabel && sameQueries(x.Queries, y.Queries)
	}
	return a.Target == b.Target && same(a.Pair, b.Pair) && same(a.Scaling, b.Scaling) && same(a.Load, b.Load) && same(a.Capacity, b.Capacity)
}

// Past is what the sources had by the minute.
type Past struct{ Load, Metric, Tasks []forecast.Minute }

// Since is where the past that a forecast is made from at now begins.
func Since(now time.Time) time.Time {
	return now.Truncate(time.Hour).Add(-forecast.MostPast * time.Hour)
}

// Foretell returns the forecast of a predictive policy at now. ok is false when
// the past is too short.
func Foretell(p model.ScalingPolicy, past Past, now time.Time) (f model.Forecast, ok bool) {
	m := p.Predictive.Metrics
	src := SourcesOf(p.ResourceID, m)
	of := forecast.Dense()
	if src.Own {
		of = forecast.Usual(past.Load, src.Mean)
	}
	carry, known := forecast.Carry(m.Target), true
	if src.Metric != nil {
		carry, known = forecast.Learn(past.Load, past.Metric, past.Tasks, m.Target, of)
	}
	load, enough := forecast.Make(forecast.Hours(past.Load, Since(now), forecast.MostPast, of))
	if !known || !enough {
		return f, false
	}
	f = model.Forecast{
		ResourceID: p.ResourceID, Policy: p.Name, Metrics: m, MadeAt: now,
		Method: load.Method, Error: load.Error, Trusted: load.Trusted(), Carry: carry,
	}
	if math.IsNaN(f.Error) {
		f.Error = 0
	}
	for i, v := range load.Values {
		f.Hours = append(f.Hours, model.ForecastHour{At: load.Start.Add(time.Duration(i) * time.Hour), Load: v, Tasks: forecast.Tasks(v, carry)})
	}
	return f, true
}

// keptForecast is how far back forecasts can be asked for.
const keptForecast = 366 * 24 * time.Hour

// After puts a new forecast behind what was foretold of the hours before it.
func After(old, f model.Forecast) model.Forecast {
	if len(f.Hours) == 0 || !SameMetrics(old.Metrics, f.Metrics) {
		return f
	}
	first := f.Hours[0].At
	var hours []model.ForecastHour
	for _, h := range old.Hours {
		if h.At.Before(first) && first.Sub(h.At) < keptForecast {
			hours = append(hours, h)
		}
	}
	f.Hours = append(hours, f.Hours...)
	return f
}

// hourAt finds the forecast of the hour that t lies in.
func hourAt(f model.Forecast, t time.Time) (model.ForecastHour, bool) {
	i, found := slices.BinarySearchFunc(f.Hours, t.Truncate(time.Hour), func(h model.ForecastHour, t time.Time) int { return h.At.Compare(t) })
	if !found {
		return model.ForecastHour{}, false
	}
	return f.Hours[i], true
}

// Predicted is the capacity that is forecast for the hour of now.
func Predicted(f model.Forecast, now time.Time) (tasks int, ok bool) {
	h, ok := hourAt(f, now)
	return h.Tasks, ok
}

// Floor is what a predictive policy demands at now: the tasks of this hour, or
// of the next one from the buffer time before it on, whichever are more. high
// is the target's maximum.
func Floor(p model.ScalingPolicy, f model.Forecast, high int, now time.Time) scaling.Floor {
	buffer := DefaultBuffer
	if p.Predictive.Buffer != nil {
		buffer = time.Duration(*p.Predictive.Buffer) * time.Second
	}
	h, ok := hourAt(f, now)
	if next, there := hourAt(f, now.Add(buffer)); there && (!ok || next.Tasks > h.Tasks) {
		h, ok = next, true
	}
	if p.Predictive.Mode != ForecastAndScale || !f.Trusted || !ok {
		return scaling.Floor{}
	}
	out := scaling.Floor{Policy: p.Name, Tasks: h.Tasks, Hour: h.At, Load: h.Load, Carry: f.Carry, Error: f.Error}
	if p.Predictive.MaxBreach == IncreaseMaxCapacity && p.Predictive.MaxBuffer != nil {
		// "if the buffer is 10, … if the forecast capacity is 50, and the
		// maximum capacity is 40, then the effective maximum capacity is 55"
		// [API_PredictiveScalingPolicyConfiguration].
		if raised := int(math.Ceil(float64(h.Tasks)*(1+float64(*p.Predictive.MaxBuffer)/100) - 1e-9)); raised > high {
			out.Max = raised
		}
	}
	return out
}

// Higher joins the floors of two policies: the one with more tasks, and the
// higher maximum.
func Higher(a, b scaling.Floor) scaling.Floor {
	out := a
	if b.Tasks > a.Tasks {
		out = b
	}
	out.Max = max(a.Max, b.Max)
	return out
}
