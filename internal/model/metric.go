package model

import "time"

// What we publish beside AWS's metrics.
const (
	OwnNamespace = "Neargate"
	// WouldHaveFailed counts requests that were answered though an ALB would have
	// failed them, by LoadBalancer, TargetGroup and Reason.
	WouldHaveFailed = "WouldHaveFailed"
)

// MetricID names a metric: the exact set of dimensions is part of the name.
// Dimensions are sorted by name.
type MetricID struct {
	Namespace, Name string
	Dimensions      []Dimension
}

// Dimension is one dimension of a metric.
type Dimension struct {
	Name, Value string
}

// Datum is one published measurement: values with counts at one moment, in the
// shape of PutMetricData. Values (Counts nil means once each) or Stats; with
// both, Stats has the exact sum and Values the distribution.
type Datum struct {
	ID         MetricID
	At         time.Time
	Unit       string // "" is None
	Values     []float64
	Counts     []float64
	Stats      *StatisticSet
	Resolution int // seconds, 1 or 60; 0 is 60
	// Gauge marks readings of something that lasts, taken each second: in
	// SampleCount and Sum each counts once a minute (once a period, when that
	// is shorter), as AWS publishes them. It is the metric's, not the datum's.
	Gauge bool
}

// StatisticSet is a summary of values that are not kept.
type StatisticSet struct {
	SampleCount, Sum, Minimum, Maximum float64
}

// MetricQuery is one entry of Metrics[]: a statistic of a metric, or an
// expression over other entries. Period is 0 when it was not given.
type MetricQuery struct {
	ID, Label  string
	Expression string // "" with a metric
	Metric     MetricID
	Statistic  string
	Unit       string
	Period     time.Duration
	ReturnData *bool // nil is true
}

// Returns reports whether the entry is one to be answered.
func (q MetricQuery) Returns() bool { return q.ReturnData == nil || *q.ReturnData }

// Reading is a complete datapoint of what queries return.
type Reading struct {
	Start  time.Time
	Period time.Duration
	Value  float64
}

// Alarm is a CloudWatch metric alarm with its state.
type Alarm struct {
	ARN, Name, Description string
	ActionsEnabled         bool
	OKActions              []string
	AlarmActions           []string
	InsufficientActions    []string

	Metric            MetricID
	Statistic         string // Average, Sum, Minimum, Maximum, SampleCount, or pNN
	Unit              string
	Period            time.Duration
	EvaluationPeriods int
	DatapointsToAlarm int // 0: EvaluationPeriods
	Threshold         float64
	Comparison        string // GreaterThanThreshold, …
	MissingData       string // missing, ignore, breaching or notBreaching
	LowSample         string // evaluate or ignore; "" is evaluate
	// QueryID and QueryLabel are of the one entry of Metrics[], when the alarm
	// was given in that form and has to be described in it; else "".
	QueryID, QueryLabel string
	// Queries are Metrics[] with an expression among them. Metric, Statistic
	// and Unit are then empty, and Period is that of all the metrics.
	Queries []MetricQuery

	State             string // OK, ALARM or INSUFFICIENT_DATA
	StateReason       string
	StateReasonData   string
	StateUpdatedAt    time.Time
	StateTransitioned time.Time
	ConfigUpdatedAt   time.Time
	Tags              []Tag
}

// Actions are those of the state that the alarm is in.
func (a Alarm) Actions() []string {
	switch a.State {
	case "OK":
		return a.OKActions
	case "ALARM":
		return a.AlarmActions
	}
	return a.InsufficientActions
}

// ServiceSecond is what one service did in one second: what the autoscaler
// decides from. Counts are of the second that ended at At.
type ServiceSecond struct {
	At                         time.Time
	Cluster, Service           string
	Running                    int           // tasks RUNNING and serving (behind a target group: healthy)
	Starting                   int           // ordered and not yet serving
	Draining                   int           // serving out what they have
	Sampled                    int           // tasks whose consumption was read
	CPU                        time.Duration // consumed by all tasks in this second
	CPUPerTask                 time.Duration // what one task's quota allows in this second
	Memory                     int64         // bytes, all tasks
	MemoryPerTask              int64         // bytes one task may use
	Balanced                   bool          // a target group measures its traffic; else the next five are zero
	Arrivals, Completed, Fails int
	InFlight, Queued           int
	Latency                    Buckets       // seconds from arrival at the load balancer to the answer's head, of what was answered in this second; values in no order
	Interval                   time.Duration // how long "this second" really was
}
