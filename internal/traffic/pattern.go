package traffic

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Pattern is a made-up load in requests per second, as its text says it:
// KIND or KIND:key=value,…
//
//	hold    the rate high for a time
//	ramp    low to high over a time, then held
//	stages  straight lines one after the other: stages:10@1m,10-80@30s,80@5m
//	step    low, and from a moment on high
//	spike   low, with high for a width, once or every so often
//	sine    between low and high
//	onoff   high for a time, low for a time, and again
//	mmpp    the same, the times drawn at random (a Markov-modulated Poisson process)
//	flash   a flash crowd: a steep rise, a slow exponential fall
type Pattern struct {
	kind   string
	text   string
	rates  map[string]float64
	times  map[string]time.Duration
	stages Shape
}

// setting is a key that a kind of pattern takes, with what it is by itself.
type setting struct {
	key  string
	rate float64
	time time.Duration // not negative where the key is a time
}

func rateOf(key string, v float64) setting       { return setting{key: key, rate: v, time: -1} }
func timeOf(key string, d time.Duration) setting { return setting{key: key, time: d} }
func lowHigh(more ...setting) []setting {
	return append([]setting{rateOf("low", 10), rateOf("high", 80)}, more...)
}
func (s setting) isTime() bool                       { return s.time >= 0 }
func lasting(d time.Duration, s []setting) []setting { return append(s, timeOf("for", d)) }

// patternKinds returns the kinds in the order in which they are told of.
func patternKinds() []string {
	return []string{"hold", "ramp", "stages", "step", "spike", "sine", "onoff", "mmpp", "flash"}
}

func patternSettings(kind string) []setting {
	const m = time.Minute
	switch kind {
	case "hold":
		return lasting(10*m, []setting{rateOf("high", 40)})
	case "ramp":
		return lasting(10*m, lowHigh(timeOf("over", 5*m)))
	case "step":
		return lasting(10*m, lowHigh(timeOf("at", 2*m)))
	case "spike":
		return lasting(20*m, lowHigh(timeOf("at", 2*m), timeOf("width", 30*time.Second), timeOf("every", 5*m)))
	case "sine":
		return lasting(60*m, lowHigh(timeOf("period", 20*m)))
	case "onoff", "mmpp":
		return lasting(30*m, lowHigh(timeOf("on", 2*m), timeOf("off", 3*m)))
	case "flash":
		return lasting(20*m, lowHigh(timeOf("at", 2*m), timeOf("over", 10*time.Second), timeOf("decay", 3*m)))
	}
	return nil
}

// ParsePattern reads the text of a pattern.
func ParsePattern(text string) (Pattern, error) {
	kind, rest, more := strings.Cut(text, ":")
	p := Pattern{kind: kind, text: text, rates: map[string]float64{}, times: map[string]time.Duration{}}
	if !slices.Contains(patternKinds(), kind) {
		return p, fmt.Errorf("shape %s: want one of %s", quote(kind), strings.Join(patternKinds(), ", "))
	}
	if kind == "stages" {
		var err error
		p.stages, err = parseStages(rest)
		if err == nil {
			err = p.long()
		}
		return p, err
	}
	known := patternSettings(kind)
	for _, s := range known {
		if s.isTime() {
			p.times[s.key] = s.time
		} else {
			p.rates[s.key] = s.rate
		}
	}
	if more {
		for pair := range strings.SplitSeq(rest, ",") {
			if err := p.set(known, pair); err != nil {
				return p, err
			}
		}
	}
	return p, p.long()
}

func (p *Pattern) set(known []setting, pair string) error {
	key, value, _ := strings.Cut(pair, "=")
	i := slices.IndexFunc(known, func(s setting) bool { return s.key == key })
	if i < 0 {
		keys := make([]string, len(known))
		for i, s := range known {
			keys[i] = s.key
		}
		return fmt.Errorf("shape %s has no %s (it takes %s)", p.kind, quote(key), strings.Join(keys, ", "))
	}
	if known[i].isTime() {
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return fmt.Errorf("shape %s: %s %s is not a duration such as 90s or 2m", p.kind, key, quote(value))
		}
		p.times[key] = d
		return nil
	}
	r, err := rate(value)
	if err != nil {
		return fmt.Errorf("shape %s: %s: %w", p.kind, key, err)
	}
	p.rates[key] = r
	return nil
}

// parseStages reads LEVEL@TIME or FROM-TO@TIME, by commas.
func parseStages(text string) (Shape, error) {
	var s Shape
	for part := range strings.SplitSeq(text, ",") {
		levels, length, _ := strings.Cut(part, "@")
		d, err := time.ParseDuration(length)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("stage %s: want RATE@TIME or FROM-TO@TIME, such as 10-80@30s", quote(part))
		}
		a, b, line := strings.Cut(levels, "-")
		if !line {
			b = a
		}
		from, err1 := rate(a)
		to, err2 := rate(b)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("stage %s: want RATE@TIME or FROM-TO@TIME, such as 10-80@30s", quote(part))
		}
		s = append(s, Stage{For: d, From: from, To: to})
	}
	return s, s.Validate()
}

// Length is how long the pattern is.
func (p Pattern) Length() time.Duration {
	if p.kind == "stages" {
		return p.stages.Length()
	}
	return p.times["for"]
}

func (p Pattern) long() error {
	switch d := p.Length(); {
	case d < time.Second:
		return fmt.Errorf("shape %s: a length of %v is below a second", p.kind, d)
	case d > MaxTraceLength:
		return fmt.Errorf("shape %s: longer than %d days", p.kind, MaxTraceLength/(24*time.Hour))
	case p.kind == "sine" && p.times["period"] < time.Second,
		p.kind == "onoff" && p.times["on"]+p.times["off"] < time.Second,
		p.kind == "mmpp" && (p.times["on"] < time.Second || p.times["off"] < time.Second):
		return fmt.Errorf("shape %s: periods must be at least a second", p.kind)
	}
	return nil
}

func (p Pattern) String() string { return p.text }
