// Package metric keeps datapoints and answers for their statistics by period.
//
// One-second datapoints live for 3 hours; they are rolled up to one minute (15
// days), five minutes (63 days) and one hour (455 days), CloudWatch's own
// retention. Percentiles survive roll-ups through logarithmic bins, which add
// up exactly and are within 1 % of the value.
//
// A Store owns one file of its own beside the server's state: datapoints are
// many and small, so they are packed into blocks (one minute of one series at
// one-second resolution), gathered in memory and written every few seconds in
// one commit. What clients publish is in a journal before it is acknowledged; a
// killed server loses at most those seconds of what it measured itself, a
// stopped one nothing. In memory is only the name of each series and the block it is
// writing now. A Store is safe for concurrent use.
//
// Its packages collect and alarms fill it and watch it. It does not know what
// the metrics mean.
package metric

import "time"

// tier is one resolution in which datapoints are kept; all in seconds.
type tier struct {
	step  int64 // of its datapoints
	block int64 // of time in one record
	keep  int64 // retention
}

const (
	minute = 60
	hour   = 3600
	day    = 24 * hour
)

// tiers are in the order of roll-up; the block of each is a multiple of the
// block before it.
//
//nolint:gochecknoglobals // a constant table, which Go cannot declare as one
var tiers = [...]tier{
	{1, minute, 3 * hour},
	{minute, hour, 15 * day},
	{5 * minute, day, 63 * day},
	{hour, 15 * day, 455 * day},
}

// rollGrace is how long after a block's end it is rolled up: late enough for
// the collector and for clients who publish what just happened.
const rollGrace = 2 * minute

// lateAfter is the age from which a point may meet a roll-up. It is less than
// rollGrace, as whoever publishes has read the clock a moment earlier.
const lateAfter = minute

// How often datapoints are written bounds what a kill may lose. With very many
// series it is less often, so that writing takes one part in flushShare of the
// time.
const (
	flushEvery   = 5 * time.Second
	flushAtLeast = 15 * time.Second
	flushShare   = 100
)

func floor(t, step int64) int64 {
	f := t - t%step
	if f > t { // before 1970
		f -= step
	}
	return f
}
