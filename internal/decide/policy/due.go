package policy

import (
	"time"

	"neargate/internal/model"
)

// When forecasts are made: as often as AWS makes them, and while the past is
// too short as soon as it may be long enough.
const (
	forecastEvery = 6 * time.Hour
	ForecastRetry = 10 * time.Minute
)

// ForecastDue reports whether the forecast of a predictive policy is missing, made
// for other metrics, or old; tried is when one was last attempted. A clock that
// went back makes it due too.
func ForecastDue(p model.ScalingPolicy, f model.Forecast, tried, now time.Time) bool {
	within := func(since time.Time, d time.Duration) bool { return !now.Before(since) && now.Before(since.Add(d)) }
	if SameMetrics(f.Metrics, p.Predictive.Metrics) && within(f.MadeAt, forecastEvery) {
		return false
	}
	return !within(tried, ForecastRetry)
}
