// Package alarm decides the state of a metric alarm from its datapoints: M of
// N, missing data, premature alarms, percentiles of too few samples, and the
// reason in CloudWatch's words.
//
// It is pure: datapoints and the time of the query come in, a state and its
// reason go out. Where datapoints come from and what a state sets off is not
// known here.
package alarm

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"neargate/internal/model"
)

// The states of an alarm.
const (
	OK           = "OK"
	Alarm        = "ALARM"
	Insufficient = "INSUFFICIENT_DATA"
)

// extraPeriods is by how much the evaluation range is wider than the
// evaluation periods, so that an alarm can look past holes in its data.
// CloudWatch does not tell its width; its user guide's example is 5 for 3.
const extraPeriods = 2

// Point is one period of the evaluation range.
type Point struct {
	At      time.Time // start of the period
	Missing bool      // no data in this period; Value and Samples mean nothing
	Value   float64   // of the alarm's statistic
	Samples float64   // how many values went into it
}

// Decision is an alarm's state with the reason for it. When Kept is true the
// data allow no conclusion: the alarm stays as it is, and the other fields are
// empty.
type Decision struct {
	Kept               bool
	State              string
	Reason, ReasonData string
	Recent             []float64 // the datapoints it rests on, oldest first
}

// Range is how many periods Evaluate wants to see.
func Range(a model.Alarm) int { return a.EvaluationPeriods + extraPeriods }

// ToAlarm is how many breaching datapoints put the alarm into ALARM.
func ToAlarm(a model.Alarm) int {
	if a.DatapointsToAlarm == 0 {
		return a.EvaluationPeriods
	}
	return a.DatapointsToAlarm
}

// Evaluate decides the state of a at now from the last Range(a) periods,
// oldest first. Fewer are as good as missing ones in front.
func Evaluate(a model.Alarm, points []Point, now time.Time) Decision {
	e := look(a, points)
	if e.lowSamples {
		return Decision{Kept: true}
	}
	state, kept := e.state()
	if kept {
		return Decision{Kept: true}
	}
	d := Decision{State: state, Reason: e.reason(state), ReasonData: e.reasonData(now)}
	for _, p := range slices.Backward(e.real) {
		d.Recent = append(d.Recent, p.Value)
	}
	return d
}

// evaluation is what counts of an evaluation range. CloudWatch's rule: the
// newest N real datapoints if there are so many; else all real ones and as few
// filled-in ones as make up N.
type evaluation struct {
	a          model.Alarm
	n, m       int
	real       []Point // newest first, at most n
	fill       int     // periods that had to be filled in
	last       []Point // the n newest periods, real or missing, newest first
	breaching  []Point // of real, newest first
	fine       []Point // of real, newest first
	lowSamples bool    // a percentile of too few samples, to be ignored
}

func look(a model.Alarm, points []Point) evaluation {
	e := evaluation{a: a, n: a.EvaluationPeriods, m: ToAlarm(a)}
	if over := len(points) - Range(a); over > 0 {
		points = points[over:]
	}
	for _, p := range slices.Backward(points) {
		if len(e.last) < e.n {
			e.last = append(e.last, p)
		}
		if p.Missing || len(e.real) == e.n {
			continue
		}
		e.real = append(e.real, p)
		if breaches(a, p.Value) {
			e.breaching = append(e.breaching, p)
		} else {
			e.fine = append(e.fine, p)
		}
		e.lowSamples = e.lowSamples || a.LowSample == "ignore" && p.Samples < enoughSamples(a.Statistic)
	}
	e.fill = e.n - len(e.real)
	return e
}

// state returns the new state; kept is true when the old one stays.
func (e evaluation) state() (state string, kept bool) {
	if len(e.breaching) >= e.m {
		return Alarm, false
	}
	switch e.a.MissingData {
	case "breaching":
		if len(e.breaching)+e.fill >= e.m {
			return Alarm, false
		}
		return OK, false
	case "notBreaching":
		return OK, false
	}
	ignore := e.a.MissingData == "ignore"
	switch {
	case len(e.fine) > 0:
		return OK, false
	case len(e.real) == 0:
		return Insufficient, ignore
	case !ignore && e.oldEnough():
		return Alarm, false
	}
	return "", true
}

// oldEnough is CloudWatch's rule against waiting for ever on thin data: ALARM
// when the oldest breaching datapoint within the evaluation periods is at
// least as old as DatapointsToAlarm and all newer ones breach or are missing.
// It is asked only when no datapoint is fine.
func (e evaluation) oldEnough() bool {
	for age := len(e.last); age >= 1; age-- {
		if !e.last[age-1].Missing {
			return age >= e.m
		}
	}
	return false
}

func breaches(a model.Alarm, v float64) bool {
	switch a.Comparison {
	case "GreaterThanThreshold":
		return v > a.Threshold
	case "GreaterThanOrEqualToThreshold":
		return v >= a.Threshold
	case "LessThanThreshold":
		return v < a.Threshold
	case "LessThanOrEqualToThreshold":
		return v <= a.Threshold
	}
	return false
}

// enoughSamples is how many samples make a percentile significant in
// CloudWatch's eyes: 10/(1-p) from the median up, 10/p below; 0 for other
// statistics. For p99 that is 1,000.
func enoughSamples(statistic string) float64 {
	digits, ok := strings.CutPrefix(statistic, "p")
	if !ok {
		return 0
	}
	percent, err := strconv.ParseFloat(digits, 64)
	switch {
	case err != nil || percent <= 0 || percent >= 100:
		return 0
	case percent >= 50:
		return 1000 / (100 - percent)
	}
	return 1000 / percent
}
