package traffic

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrGap is wrapped when intervals are missing and not to be filled.
var ErrGap = errors.New("a gap")

// ParseTrace reads a recorded load:
//
//   - one number a line: requests in each second;
//   - two columns, time and rate, by comma, semicolon or tab. A time is in
//     seconds, RFC 3339, or "2006-01-02 15:04:05" (taken as UTC); the interval
//     follows from the times.
//
// A first line of names is a header, and the name of the rate gives its unit:
// requests_per_second or rps or rate, requests_per_minute or rpm,
// requests_per_hour, or requests or count for those of the interval; without
// one it is requests per second. Empty lines and lines that begin with # are
// passed over. Missing intervals are an error unless fill is set: then they lie
// on the line between their neighbours.
//
// An error names the line.
func ParseTrace(text string, fill bool) (Trace, error) {
	if len(text) > MaxTraceBytes {
		return Trace{}, fmt.Errorf("load of more than %d MiB", MaxTraceBytes>>20)
	}
	var p parser
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		if len(line) > maxLineBytes {
			return Trace{}, fmt.Errorf("line %d: longer than %d bytes (want one number, or time,rate)", number, maxLineBytes)
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if err := p.line(number, line); err != nil {
			return Trace{}, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return p.trace(fill)
}

// parser holds the record as it is read: one entry per line of it.
type parser struct {
	columns int
	unit    string
	seconds float64 // that one number counts; 0 is the interval

	rates []float64
	times []time.Duration // since the first; none for one column
	clock string          // how times are written
	first time.Time
	lines []int32
}

func (p *parser) line(number int, line string) error {
	fields, err := split(line)
	if err != nil {
		return err
	}
	if p.columns == 0 {
		p.columns, p.seconds = len(fields), 1
		if header(fields) {
			return p.header(fields)
		}
	}
	if len(fields) != p.columns {
		return fmt.Errorf("%s where the lines before have %d", columns(len(fields)), p.columns)
	}
	if len(p.rates) == maxIntervals {
		return tooMany()
	}
	if p.columns == 2 {
		if err := p.time(fields[0]); err != nil {
			return err
		}
	}
	r, err := rate(fields[len(fields)-1])
	if err != nil {
		return err
	}
	p.rates = append(p.rates, r)
	p.lines = append(p.lines, int32(number))
	return nil
}

func tooMany() error { return fmt.Errorf("more than %d intervals", maxIntervals) }

func columns(n int) string {
	if n == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", n)
}

// split returns the one or two fields of a line, without quotes.
func split(line string) ([]string, error) {
	sep := ","
	if i := strings.IndexAny(line, ",;\t"); i >= 0 {
		sep = line[i : i+1]
	}
	if n := strings.Count(line, sep) + 1; n > 2 {
		return nil, fmt.Errorf("%s (want one number, or time,rate)", columns(n))
	}
	fields := strings.Split(line, sep)
	for i, f := range fields {
		f = strings.TrimSpace(f)
		if len(f) > 1 && f[0] == '"' && f[len(f)-1] == '"' {
			f = strings.TrimSpace(f[1 : len(f)-1])
		}
		if strings.ContainsFunc(f, control) {
			return nil, fmt.Errorf("control character in %s", quote(f))
		}
		fields[i] = f
	}
	return fields, nil
}

// control reports whether r is a C0 or C1 control character.
func control(r rune) bool { return r < 0x20 || 0x7f <= r && r < 0xa0 }

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// header reports whether a first line is one of names. A single column must have
// a name that is known, or a slip of the pen in the first number would pass
// for a header.
func header(fields []string) bool {
	if len(fields) == 1 {
		_, known := unit(fields[0])
		return known
	}
	for _, f := range fields {
		if !strings.ContainsAny(f[:min(len(f), 1)], letters) || notNumber(f) {
			return false
		}
	}
	return true
}

func notNumber(f string) bool {
	switch strings.ToLower(f) {
	case "nan", "inf", "infinity":
		return true
	}
	return false
}

func (p *parser) header(fields []string) error {
	p.unit = fields[len(fields)-1]
	p.seconds, _ = unit(p.unit)
	if p.columns == 1 && p.seconds > 1 {
		return fmt.Errorf("%s without a column of times (without times, a line is a second)", p.unit)
	}
	return nil
}

func rate(s string) (float64, error) {
	if s == "" {
		return 0, errors.New("no rate")
	}
	if notNumber(strings.TrimLeft(s, "+-")) {
		return 0, fmt.Errorf("rate %s is not a finite number", s)
	}
	r, err := decimal(s)
	switch {
	case err != nil:
		return 0, fmt.Errorf("rate %s is not a number", quote(s))
	case r < 0:
		return 0, fmt.Errorf("rate %s is negative", s)
	case r > maxRate:
		return 0, fmt.Errorf("rate %s is above %.0e", quote(s), maxRate)
	}
	return math.Abs(r), nil // -0 is 0
}

// decimal is ParseFloat without hexadecimal, underscores and infinities.
func decimal(s string) (float64, error) {
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, 64)
}

func quote(s string) string {
	const most = 40
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}

// time takes the time of a line; all lines write it as the first does.
func (p *parser) time(s string) error {
	if p.clock == "" {
		for _, layout := range []string{"seconds", time.RFC3339, time.DateTime, "2006-01-02T15:04:05"} {
			if at, err := readTime(layout, s); err == nil {
				p.clock, p.first = layout, at
				break
			}
		}
	}
	at, err := readTime(p.clock, s)
	if err != nil {
		return fmt.Errorf("time %s is not %s", quote(s), p.form())
	}
	d := at.Sub(p.first)
	if n := len(p.times); n > 0 {
		switch last := p.times[n-1]; {
		case d == last:
			return fmt.Errorf("time %s for the second time", s)
		case d < last:
			return fmt.Errorf("time %s goes backwards", s)
		case d > MaxTraceLength:
			return fmt.Errorf("time %s is more than %d days after the first", s, MaxTraceLength/(24*time.Hour))
		}
	}
	p.times = append(p.times, d)
	return nil
}

func (p *parser) form() string {
	switch p.clock {
	case "":
		return `seconds, RFC 3339 or "2006-01-02 15:04:05"`
	case "seconds":
		return "a number of seconds, as on the lines before"
	}
	return "written as on the lines before"
}

func readTime(layout, s string) (time.Time, error) {
	if layout != "seconds" {
		return time.Parse(layout, s)
	}
	x, err := decimal(s)
	if err != nil || math.Abs(x) > 1e11 {
		return time.Time{}, strconv.ErrSyntax
	}
	whole, part := math.Modf(x)
	return time.Unix(int64(whole), int64(math.Round(part*1e9))).UTC(), nil
}

// trace creates the record of what was read.
func (p *parser) trace(fill bool) (Trace, error) {
	t := Trace{Step: time.Second, Rates: p.rates, Unit: p.unit}
	switch {
	case len(p.rates) == 0:
		return Trace{}, errors.New("no load: there is no line with a rate")
	case p.columns == 2 && len(p.rates) == 1:
		return Trace{}, fmt.Errorf("line %d: one line with a time gives no interval", p.lines[0])
	case p.columns == 2:
		var err error
		if t, err = p.evenly(t, fill); err != nil {
			return Trace{}, err
		}
		if p.clock != "seconds" {
			t.First = p.first
		}
	}
	if t.Length() > MaxTraceLength || t.Length() < 0 {
		return Trace{}, fmt.Errorf("load of %v is longer than %d days", t.Length(), MaxTraceLength/(24*time.Hour))
	}
	per := p.seconds
	if per == 0 {
		per = t.Step.Seconds()
	}
	for i := range t.Rates {
		t.Rates[i] /= per
	}
	return t, nil
}

// evenly checks that the lines lie one interval apart: the median of the
// differences, with room for jitter. It fills what is missing.
func (p *parser) evenly(t Trace, fill bool) (Trace, error) {
	steps := make([]time.Duration, 0, len(p.times)-1)
	for i := 1; i < len(p.times); i++ {
		steps = append(steps, p.times[i]-p.times[i-1])
	}
	sorted := slices.Sorted(slices.Values(steps))
	t.Step = sorted[(len(sorted)-1)/2]
	if t.Step < time.Millisecond {
		return Trace{}, fmt.Errorf("line %d: an interval of %v is below a millisecond", p.lines[1], t.Step)
	}
	t.Rates = append(make([]float64, 0, len(p.rates)), p.rates[0])
	for i, d := range steps {
		n := int(math.Round(float64(d) / float64(t.Step)))
		switch {
		case n == 0:
			return Trace{}, fmt.Errorf("line %d: %v after the line before, where the interval is %v", p.lines[i+1], d, t.Step)
		case n > 1 && !fill:
			return Trace{}, fmt.Errorf("line %d: %w: %v after the line before, where the interval is %v", p.lines[i+1], ErrGap, d, t.Step)
		case len(t.Rates)+n > maxIntervals:
			return Trace{}, fmt.Errorf("line %d: %w", p.lines[i+1], tooMany())
		}
		a, b := p.rates[i], p.rates[i+1]
		for k := 1; k <= n; k++ {
			t.Rates = append(t.Rates, a+(b-a)*float64(k)/float64(n))
		}
		t.Filled += n - 1
	}
	return t, nil
}
