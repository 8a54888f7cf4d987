package model

import "time"

// Predictive is a predictive scaling configuration. Nil and "" are what the
// caller left out.
type Predictive struct {
	Metrics   PredictiveMetrics
	Mode      string // ForecastOnly or ForecastAndScale
	Buffer    *int   // SchedulingBufferTime, seconds
	MaxBreach string // HonorMaxCapacity or IncreaseMaxCapacity
	MaxBuffer *int   // percent
}

// PredictiveMetrics is a metric pair, or a scaling and a load metric, and the
// target of the scaling metric.
type PredictiveMetrics struct {
	Target              float64
	Pair, Scaling, Load PredictiveMetric
	Capacity            PredictiveMetric // how many tasks there were, customized only
}

// PredictiveMetric is a metric of a predictive policy: predefined, or
// customized; the zero value is none.
type PredictiveMetric struct {
	Type, ResourceLabel string
	Queries             []MetricQuery // without periods
}

// Given reports whether there is a metric.
func (m PredictiveMetric) Given() bool { return m.Type != "" || m.Queries != nil }

// Forecast is what a predictive policy foretells, and what it foretold.
type Forecast struct {
	ResourceID, Policy string
	Metrics            PredictiveMetrics // that it was made for
	MadeAt             time.Time
	Method             string
	Error              float64 // share of the load by which it was off when tried on the past
	Trusted            bool    // it was tried, and is a ground for decisions
	Carry              float64 // of the load in an hour, by one task at the target
	Hours              []ForecastHour
}

// ForecastHour is one hour of a forecast.
type ForecastHour struct {
	At    time.Time // when it begins
	Load  float64
	Tasks int
}
