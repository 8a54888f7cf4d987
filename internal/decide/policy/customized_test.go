package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

const group = "targetgroup/tg/73e2d6bc24d8a067"

func service() model.Service {
	return model.Service{
		Cluster: "c", Name: "web",
		LoadBalancers: []model.ServiceLoadBalancer{{TargetGroupARN: "arn:aws:elasticloadbalancing:us-east-1:000000000000:" + group}},
		Deployments:   []model.Deployment{{Status: "PRIMARY", RolloutState: "COMPLETED"}},
	}
}

func metric(namespace, name string, dims ...string) model.MetricID {
	id := model.MetricID{Namespace: namespace, Name: name}
	for i := 0; i < len(dims); i += 2 {
		id.Dimensions = append(id.Dimensions, model.Dimension{Name: dims[i], Value: dims[i+1]})
	}
	return id
}

func customized(c model.CustomizedMetric) model.ScalingPolicy {
	return model.ScalingPolicy{
		Name: "own", ResourceID: "service/c/web", ARN: "arn:p",
		Tracking: &model.TargetTracking{Target: 10, Customized: &c, ScaleOut: time.Minute},
	}
}

// backlog is the guide's backlog per task: messages over tasks.
func backlog() model.CustomizedMetric {
	hidden := new(false)
	return model.CustomizedMetric{Queries: []model.MetricQuery{
		{ID: "m1", Metric: metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "q"), Statistic: "Sum", ReturnData: hidden},
		{ID: "m2", Metric: metric("ECS/ContainerInsights", "RunningTaskCount", "ClusterName", "c", "ServiceName", "web"), Statistic: "Average", ReturnData: hidden},
		{ID: "e1", Label: "backlog per task", Expression: "m1 / m2"},
	}}
}

func TestCustomizedMetricsThatAreRefused(t *testing.T) {
	orders := model.CustomizedMetric{Metric: metric("Shop", "Orders", "Zone", "1"), Statistic: "Average"}
	with := func(change func(*model.CustomizedMetric)) model.CustomizedMetric {
		c := backlog()
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		metric model.CustomizedMetric
		want   string // "" is taken
	}{
		"single":                       {orders, ""},
		"filled gaps":                  {with(func(c *model.CustomizedMetric) { c.Queries[2].Expression = "FILL(m1, REPEAT) / m2" }), ""},
		"math":                         {backlog(), ""},
		"no namespace":                 {model.CustomizedMetric{Metric: metric("", "Orders"), Statistic: "Sum"}, "The customized metric specification is not valid."},
		"no statistic":                 {model.CustomizedMetric{Metric: metric("Shop", "Orders")}, "The customized metric specification is not valid."},
		"nothing":                      {model.CustomizedMetric{}, "The customized metric specification is not valid."},
		"a dimension twice":            {model.CustomizedMetric{Metric: metric("Shop", "Orders", "a", "1", "a", "2"), Statistic: "Sum"}, "The customized metric specification is not valid."},
		"both forms":                   {with(func(c *model.CustomizedMetric) { c.Metric, c.Statistic = orders.Metric, "Sum" }), "The customized metric specification is not valid."},
		"two return data":              {with(func(c *model.CustomizedMetric) { c.Queries[0].ReturnData = nil }), "Exactly one element of the metrics list should return data."},
		"an unknown id":                {with(func(c *model.CustomizedMetric) { c.Queries[2].Expression = "m1 / m3" }), "Error in expression: the id 'm3' is not in MetricDataQueries."},
		"a number":                     {with(func(c *model.CustomizedMetric) { c.Queries[2].Expression = "5" }), "Error in expression 'e1': the result of the expression is a number, not a time series."},
		"an id twice":                  {with(func(c *model.CustomizedMetric) { c.Queries[1].ID = "m1" }), "The ID m1 of a metric is not unique."},
		"an id in capitals":            {with(func(c *model.CustomizedMetric) { c.Queries[1].ID = "M1" }), "The ID M1 of a metric must begin with a lower case letter and have letters, digits and underscores only."},
		"an entry of both kinds":       {with(func(c *model.CustomizedMetric) { c.Queries[0].Expression = "m2" }), "Either Expression or MetricStat must be specified for the metric m1, but not both."},
		"a trimmed mean":               {with(func(c *model.CustomizedMetric) { c.Queries[0].Statistic = "tm90" }), "The statistic tm90 is not supported: SampleCount, Average, Sum, Minimum, Maximum and p0.0 to p100 are."},
		"more than ten":                {with(func(c *model.CustomizedMetric) { c.Queries = append(c.Queries, make([]model.MetricQuery, 8)...) }), "The customized metric specification can have at most 10 metrics."},
		"an expression without an end": {with(func(c *model.CustomizedMetric) { c.Queries[2].Expression = "(m1" }), "Error in expression 'e1'"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(customized(c.metric), service())
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "ValidationException: "+c.want)):
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
	p, other := customized(backlog()), customized(backlog())
	if err := Beside(p, other); err == nil {
		t.Error("two policies on the same metric math were taken")
	}
	other.Tracking.Customized.Queries[1].Statistic = "Maximum"
	if err := Beside(p, other); err != nil {
		t.Errorf("another statistic: %v", err)
	}
	if err := Beside(p, model.ScalingPolicy{Tracking: &model.TargetTracking{Predefined: string(scaling.CPU)}}); err != nil {
		t.Errorf("beside a predefined metric: %v", err)
	}
}

func TestAlarmsOfCustomizedMetrics(t *testing.T) {
	for _, timing := range []scaling.Timing{scaling.AWS60, scaling.AWS20} {
		p := customized(backlog())
		al := Alarm(p, Low, timing, "x")
		if al.Period != time.Minute || al.EvaluationPeriods != 15 || al.Threshold != 9 || al.Statistic != "" || len(al.Metric.Dimensions) > 0 {
			t.Errorf("%s: alarm on metric math %+v", timing, al)
		}
		want := backlog().Queries
		want[0].Period, want[1].Period = time.Minute, time.Minute
		if diff := cmp.Diff(want, al.Queries); diff != "" {
			t.Errorf("queries (-want +got):\n%s", diff)
		}
	}
	single := model.CustomizedMetric{Metric: metric("Shop", "Orders", "Zone", "1"), Statistic: "Maximum", Unit: "Count"}
	al := Alarm(customized(single), High, scaling.AWS60, "x")
	if al.Statistic != "Maximum" || al.Unit != "Count" || al.QueryID != "" || al.Threshold != 10 || al.EvaluationPeriods != 3 || !cmp.Equal(al.Metric, single.Metric) {
		t.Errorf("alarm on a single metric: %+v", al)
	}
	alone := model.CustomizedMetric{Queries: []model.MetricQuery{{ID: "m1", Label: "l", Metric: single.Metric, Statistic: "p95"}}}
	al = Alarm(customized(alone), High, scaling.AWS60, "x")
	if al.QueryID != "m1" || al.QueryLabel != "l" || al.Statistic != "p95" || len(al.Queries) != 0 {
		t.Errorf("alarm on one entry of Metrics[]: %+v", al)
	}
}

func TestResponseTimeIsAnSLO(t *testing.T) {
	of := func(statistic string, dims ...string) model.CustomizedMetric {
		return model.CustomizedMetric{Queries: []model.MetricQuery{
			{ID: "m1", Metric: metric("AWS/ApplicationELB", "TargetResponseTime", dims...), Statistic: statistic},
		}}
	}
	const balancer = "app/lb/50dc6c495c0c9188"
	for name, c := range map[string]struct {
		metric     model.CustomizedMetric
		percentile float64 // 0: not an SLO
	}{
		"p99 of the target group":           {of("p99", "LoadBalancer", balancer, "TargetGroup", group), 99},
		"p99.9 of the load balancer":        {of("p99.9", "LoadBalancer", balancer), 99.9},
		"p90 of the group alone":            {of("p90", "TargetGroup", group), 90},
		"the median":                        {of("p50", "TargetGroup", group), 0},
		"the average":                       {of("Average", "TargetGroup", group), 0},
		"the maximum":                       {of("p100", "TargetGroup", group), 0},
		"the target group of another":       {of("p99", "TargetGroup", "targetgroup/other/1"), 0},
		"one zone":                          {of("p99", "AvailabilityZone", "us-east-1a", "TargetGroup", group), 0},
		"of all load balancers":             {of("p99"), 0},
		"another metric":                    {model.CustomizedMetric{Metric: metric("Shop", "TargetResponseTime", "TargetGroup", group), Statistic: "p99"}, 0},
		"with mathematics, which is no SLO": {backlog(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := OfService([]model.ScalingPolicy{customized(c.metric)}, service())[0]
			want := scaling.Policy{Name: "own", Metric: scaling.Customized, Target: 10, ScaleOut: time.Minute}
			if c.percentile > 0 {
				want.Metric, want.Percentile = scaling.ResponseTime, c.percentile
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("policy (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHighResolutionNeedsTheServicesMetrics(t *testing.T) {
	const refused = "ValidationException: High-resolution metrics are not fully enabled on the ECS service."
	monitored := func(seconds int, metrics ...string) model.Service {
		svc := service()
		svc.Monitoring = []model.MetricResolution{{Metrics: metrics, Resolution: time.Duration(seconds) * time.Second}}
		return svc
	}
	rolling := monitored(20, "CPUUtilization")
	rolling.Deployments[0].RolloutState = "IN_PROGRESS"
	cpu, memory := string(scaling.CPU)+"HighResolution", string(scaling.Memory)+"HighResolution"
	for name, c := range map[string]struct {
		metric string
		svc    model.Service
		want   string
	}{
		"CPU":                       {cpu, monitored(20, "CPUUtilization"), ""},
		"memory":                    {memory, monitored(20, "CPUUtilization", "MemoryUtilization"), ""},
		"not set":                   {cpu, service(), refused},
		"the other metric":          {memory, monitored(20, "CPUUtilization"), refused},
		"60 seconds":                {cpu, monitored(60, "CPUUtilization"), refused},
		"a deployment is under way": {cpu, rolling, refused},
	} {
		t.Run(name, func(t *testing.T) {
			p := model.ScalingPolicy{Name: "p", ResourceID: "service/c/web", Tracking: &model.TargetTracking{Target: 50, Predefined: c.metric}}
			got := ""
			if err := Check(p, c.svc); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("error %q, want %q", got, c.want)
			}
			of := Of(p)
			if !of.HighResolution || string(of.Metric)+"HighResolution" != c.metric {
				t.Errorf("policy %+v", of)
			}
			for k, n := range map[Kind]int{High: 3, Low: 30} {
				al := Alarm(p, k, scaling.Live, "x")
				if al.Period != 20*time.Second || al.EvaluationPeriods != n || !strings.HasSuffix(al.Metric.Name, "Utilization") || al.Statistic != "Average" {
					t.Errorf("%s: %+v", k, al)
				}
			}
		})
	}
}
