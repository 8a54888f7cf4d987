package alarm

import (
	"time"

	"neargate/internal/decide/expression"
	"neargate/internal/model"
)

// Alarms are evaluated in turns: those with periods of a minute or more each
// full minute, the others every ten seconds. CloudWatch, "Evaluating an alarm":
// standard alarms each minute, high-resolution ones every 10 seconds.
const (
	LongTurn  = time.Minute
	ShortTurn = 10 * time.Second
)

// Turn is how often an alarm is evaluated.
func Turn(a model.Alarm) time.Duration {
	if a.Period < LongTurn {
		return ShortTurn
	}
	return LongTurn
}

// Window is the evaluation range of an alarm at now: it ends at the last full
// turn, whatever has come since.
func Window(a model.Alarm, now time.Time) expression.Window {
	end := now.UTC().Truncate(Turn(a))
	return expression.Window{Start: end.Add(-time.Duration(Range(a)) * a.Period), End: end, Period: a.Period}
}

// Points returns the periods of an evaluation range, oldest first, all missing.
func Points(w expression.Window) []Point {
	points := make([]Point, w.End.Sub(w.Start)/w.Period)
	for i := range points {
		points[i] = Point{At: w.Start.Add(time.Duration(i) * w.Period), Missing: true}
	}
	return points
}

// Fill puts datapoints into the periods that they belong to.
func Fill(points []Point, w expression.Window, data []expression.Point) {
	for _, d := range data {
		if i := d.At.Sub(w.Start) / w.Period; i >= 0 && int(i) < len(points) {
			points[i].Missing, points[i].Value = false, d.Value
		}
	}
}
