package simulate

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"neargate/internal/traffic"
)

// shapeStream is the second half of the seed of a pattern's random numbers.
const shapeStream = 0x7368617065

// readLoad returns the rates as the file or the pattern has them, and the clock.
func (p *plan) readLoad() error {
	var err error
	p.begin = time.Unix(0, 0).UTC()
	if p.Shape != "" {
		err = p.readShape()
	} else {
		err = p.readTrace()
	}
	if err != nil {
		return err
	}
	if p.Smooth > 0 {
		p.rates = traffic.Smooth(p.rates, int(p.Smooth.Seconds()))
		p.loadText += fmt.Sprintf(", smoothed over %v", p.Smooth)
	}
	if p.From > 0 || p.For > 0 || p.History > 0 {
		err = p.cut()
	}
	if p.begin = p.begin.Add(p.From + p.History); p.Begin != "" {
		p.begin, _ = readMoment(p.Begin) // Validate has read it
	}
	return err
}

// cut takes the history and the run out of the load.
func (p *plan) cut() error {
	whole := p.rates
	var err error
	if p.rates, err = traffic.Cut(whole, p.From+p.History, p.For); err != nil {
		return err
	}
	if p.History > 0 {
		p.history, err = traffic.Cut(whole, p.From, p.History)
	}
	p.loadText += fmt.Sprintf(", from %v", p.From+p.History)
	if p.For > 0 {
		p.loadText += fmt.Sprintf(" for %v", p.For)
	}
	if p.History > 0 {
		p.loadText += fmt.Sprintf(", the %v before as history", p.History)
	}
	return err
}

func (p *plan) readShape() error {
	pattern, err := traffic.ParsePattern(p.Shape)
	if err != nil {
		return err
	}
	p.rates = pattern.Rates(rand.New(rand.NewPCG(p.Seed, shapeStream)).Float64) //nolint:gosec // a simulation must be repeatable
	p.loadText = fmt.Sprintf("%s: %v", pattern, pattern.Length())
	return nil
}

func (p *plan) readTrace() error {
	text, err := readAtMost(p.Load, traffic.MaxTraceBytes+1)
	if err != nil {
		return fmt.Errorf("read load: %w", err)
	}
	t, err := traffic.ParseTrace(text, p.Fill)
	if err != nil {
		return fmt.Errorf("load %s: %w", p.Load, err)
	}
	p.rates = t.Seconds()
	if !t.First.IsZero() {
		p.begin = t.First
	}
	p.loadText = fmt.Sprintf("%s: %v in steps of %v", p.Load, t.Length().Round(time.Second), t.Step)
	if t.Unit != "" {
		p.loadText += " (" + t.Unit + ")"
	}
	if t.Step > time.Second {
		p.notes = append(p.notes, "between the load's steps the rate goes in straight lines")
	}
	if t.Filled > 0 {
		p.notes = append(p.notes, fmt.Sprintf("%d missing steps of the load were filled", t.Filled))
	}
	return nil
}

// readAtMost reads a file, and no more of it than limit.
func readAtMost(path string, limit int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit))
	return string(b), err
}

// scaleLoad scales the load so that its peak needs what it shall.
func (p *plan) scaleLoad() error {
	if p.PeakNeed > 0 {
		var err error
		before := slices.Max(p.rates)
		// A little less than the count's full load: rounding must not make
		// it need one task more.
		if p.rates, err = traffic.ScaleToPeak(p.rates, float64(p.PeakNeed)*p.perTask()*(1-1e-9)); err != nil {
			return fmt.Errorf("--peak-need: %w", err)
		}
		for i := range p.history {
			p.history[i] *= slices.Max(p.rates) / before
		}
	}
	peak := slices.Max(traffic.Smooth(p.rates, traffic.PeakWindow))
	scaled := ""
	if p.PeakNeed > 0 {
		scaled = "scaled to "
	}
	p.loadText += fmt.Sprintf("; %s%.3g to %.3g requests/s, the peak needs %d tasks at %g %% CPU", scaled, slices.Min(p.rates), slices.Max(p.rates), p.needOf(peak), p.target)
	if n := p.needOf(peak); n > p.hi {
		p.notes = append(p.notes, fmt.Sprintf("the peak needs %d tasks and there may be %d: every policy is too small there", n, p.hi))
	}
	return nil
}
