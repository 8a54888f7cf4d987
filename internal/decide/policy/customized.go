package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"neargate/internal/decide/expression"
	"neargate/internal/model"
)

// metricPeriod is that of customized metrics: a policy cannot say another.
const metricPeriod = time.Minute

// maxQueries is how many elements Metrics may have, as for an alarm.
const maxQueries = 10

// Queries reads a policy's customized metric; nil when it has none.
func Queries(p model.ScalingPolicy) []model.MetricQuery {
	if p.Tracking == nil || p.Tracking.Customized == nil {
		return nil
	}
	c := *p.Tracking.Customized
	if len(c.Queries) == 0 {
		return []model.MetricQuery{{ID: "m1", Metric: c.Metric, Statistic: c.Statistic, Unit: c.Unit, Period: metricPeriod}}
	}
	return byMinute(c.Queries)
}

// byMinute returns queries the period that a policy does not say.
func byMinute(queries []model.MetricQuery) []model.MetricQuery {
	queries = slices.Clone(queries)
	for i := range queries {
		if queries[i].Expression == "" {
			queries[i].Period = metricPeriod
		}
	}
	return queries
}

// single returns a customized metric that needs no mathematics, however it was
// written.
func single(c model.CustomizedMetric) (metric model.CustomizedMetric, ok bool) {
	switch {
	case len(c.Queries) == 0:
		return c, true
	case len(c.Queries) == 1 && c.Queries[0].Expression == "":
		q := c.Queries[0]
		return model.CustomizedMetric{Metric: q.Metric, Statistic: q.Statistic, Unit: q.Unit}, true
	}
	return metric, false
}

// slo returns the percentile of a customized metric that is the response time of
// the service behind its load balancer, above the median; own says whether a
// target group is the service's.
func slo(c model.CustomizedMetric, own func(group string) bool) (percentile float64, ok bool) {
	m, ok := single(c)
	if !ok || m.Metric.Namespace != "AWS/ApplicationELB" || m.Metric.Name != "TargetResponseTime" {
		return 0, false
	}
	percentile, ok = percentileOf(m.Statistic)
	if !ok || percentile <= 50 || percentile >= 100 || len(m.Metric.Dimensions) == 0 {
		return 0, false
	}
	for _, d := range m.Metric.Dimensions {
		switch {
		case d.Name == "LoadBalancer":
		case d.Name == "TargetGroup" && own(d.Value):
		default: // of another service, or of one zone
			return 0, false
		}
	}
	return percentile, true
}

// attached reports whether a service's tasks are in a target group, which is named
// by the end of its ARN.
func attached(svc model.Service, group string) bool {
	return slices.ContainsFunc(svc.TargetGroups(), func(arn string) bool { return strings.HasSuffix(arn, ":"+group) })
}

// percentileOf reads a statistic pNN.
func percentileOf(statistic string) (percentile float64, ok bool) {
	digits, ok := strings.CutPrefix(statistic, "p")
	if !ok || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	percentile, err := strconv.ParseFloat(digits, 64)
	return percentile, err == nil && percentile >= 0 && percentile <= 100
}

// checkCustomized refuses what cannot be followed of a customized metric.
func checkCustomized(c model.CustomizedMetric) error {
	if len(c.Queries) == 0 {
		return checkMetric(c.Metric, c.Statistic)
	}
	if c.Metric.Name != "" || c.Metric.Namespace != "" || len(c.Metric.Dimensions) > 0 || c.Statistic != "" || c.Unit != "" {
		return invalid("The customized metric specification is not valid.")
	}
	if len(c.Queries) > maxQueries {
		return invalid("The customized metric specification can have at most %d metrics.", maxQueries)
	}
	seen := map[string]bool{}
	for _, q := range c.Queries {
		switch {
		case !validID(q.ID):
			return invalid("The ID %s of a metric must begin with a lower case letter and have letters, digits and underscores only.", q.ID)
		case seen[q.ID]:
			return invalid("The ID %s of a metric is not unique.", q.ID)
		case q.Expression == "" && q.Metric.Name == "", q.Expression != "" && q.Metric.Name != "":
			return invalid("Either Expression or MetricStat must be specified for the metric %s, but not both.", q.ID)
		}
		seen[q.ID] = true
		if q.Expression == "" {
			if err := checkMetric(q.Metric, q.Statistic); err != nil {
				return err
			}
		}
	}
	if err := expression.Check(byMinute(c.Queries)); err != nil {
		return invalid("%s", message(err))
	}
	return nil
}

func validID(id string) bool {
	for i, r := range id {
		lower, other := r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
		if !lower && (i == 0 || !other) {
			return false
		}
	}
	return id != ""
}

// checkMetric wants a metric that can be named and a statistic that is kept.
func checkMetric(id model.MetricID, statistic string) error {
	if id.Namespace == "" || id.Name == "" || statistic == "" {
		return invalid("The customized metric specification is not valid.")
	}
	for i, d := range id.Dimensions {
		if d.Name == "" || d.Value == "" || i > 0 && d.Name == id.Dimensions[i-1].Name {
			return invalid("The customized metric specification is not valid.")
		}
	}
	_, percentile := percentileOf(statistic)
	if !percentile && !slices.Contains([]string{"Average", "Minimum", "Maximum", "SampleCount", "Sum"}, statistic) {
		return invalid("The statistic %s is not supported: SampleCount, Average, Sum, Minimum, Maximum and p0.0 to p100 are.", statistic)
	}
	return nil
}

// message is what an error says without its code.
func message(err error) string {
	if e, ok := err.(*model.Error); ok { //nolint:errorlint // it is made by Check itself
		return e.Msg
	}
	return err.Error()
}

// sameMetric reports whether two policies track the same.
func sameMetric(x, y model.TargetTracking) bool {
	if x.Customized == nil || y.Customized == nil {
		return x.Customized == y.Customized && x.Predefined == y.Predefined && x.ResourceLabel == y.ResourceLabel
	}
	a, b := *x.Customized, *y.Customized
	return sameStat(a, b) && sameQueries(a.Queries, b.Queries)
}

func sameQueries(a, b []model.MetricQuery) bool {
	return slices.EqualFunc(a, b, func(q, r model.MetricQuery) bool {
		return q.ID == r.ID && q.Expression == r.Expression && q.Returns() == r.Returns() &&
			sameStat(model.CustomizedMetric{Metric: q.Metric, Statistic: q.Statistic, Unit: q.Unit},
				model.CustomizedMetric{Metric: r.Metric, Statistic: r.Statistic, Unit: r.Unit})
	})
}

func sameStat(a, b model.CustomizedMetric) bool {
	return a.Metric.Namespace == b.Metric.Namespace && a.Metric.Name == b.Metric.Name &&
		slices.Equal(a.Metric.Dimensions, b.Metric.Dimensions) && a.Statistic == b.Statistic && a.Unit == b.Unit
}

// customizedAlarm makes al one on a customized metric.
func customizedAlarm(al *model.Alarm, p model.ScalingPolicy) {
	c := *p.Tracking.Customized
	m, ok := single(c)
	if !ok {
		al.Metric, al.Statistic, al.Unit = model.MetricID{}, "", ""
		al.Queries = Queries(p)
		return
	}
	al.Metric, al.Statistic, al.Unit = m.Metric, m.Statistic, m.Unit
	if len(c.Queries) > 0 {
		al.QueryID, al.QueryLabel = c.Queries[0].ID, c.Queries[0].Label
	}
}
