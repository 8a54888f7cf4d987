package scaling

import "time"

// peakSlots cut a window into parts; one more slot than parts, so that the
// whole window is always covered.
const peakSlots = 16

// Peaks keeps the largest load in a window of the past.
type Peaks struct {
	Slot  time.Duration // length of a slot
	Begun time.Time     // of the newest slot
	Max   [peakSlots]float64
}

// lately is the largest load in the newest part of the window.
func (p *Peaks) lately(part time.Duration) float64 {
	top := p.Max[0]
	for i := 1; i < peakSlots && time.Duration(i)*p.Slot < part; i++ {
		top = max(top, p.Max[i])
	}
	return top
}

// note takes in a load and gives the largest in the last window.
func (p *Peaks) note(load float64, window time.Duration, now time.Time) float64 {
	slot := (window + peakSlots - 2) / (peakSlots - 1)
	if slot != p.Slot || now.Before(p.Begun) {
		top := load // what the old slots held stays in force for a whole window
		for _, m := range p.Max {
			top = max(top, m)
		}
		*p = Peaks{Slot: slot, Begun: now}
		p.Max[0] = top
	}
	for steps := 0; now.Sub(p.Begun) >= p.Slot; steps++ {
		if steps > peakSlots {
			p.Begun = now
			break
		}
		p.Begun = p.Begun.Add(p.Slot)
		copy(p.Max[1:], p.Max[:peakSlots-1])
		p.Max[0] = 0
	}
	p.Max[0] = max(p.Max[0], load)
	top := 0.0
	for _, m := range p.Max {
		top = max(top, m)
	}
	return top
}
