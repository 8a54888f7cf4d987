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

// readLoad gives the rates as the file or the pattern has them.
func (p *plan) readLoad() error {
	var err error
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
	if p.From > 0 || p.For > 0 {
		p.rates, err = traffic.Cut(p.rates, p.From, p.For)
		p.loadText += fmt.Sprintf(", from %v", p.From)
		if p.For > 0 {
			p.loadText += fmt.Sprintf(" for %v", p.For)
		}
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

// scaleLoad makes the peak need what it shall.
func (p *plan) scaleLoad() error {
	if p.PeakNeed > 0 {
		var err error
		// A little less than the count's full load: rounding must not make
		// it need one task more.
		if p.rates, err = traffic.ScaleToPeak(p.rates, float64(p.PeakNeed)*p.perTask()*(1-1e-9)); err != nil {
			return fmt.Errorf("--peak-need: %w", err)
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
