package metric

// fold merges points into periods. Points must come in order of time.
type fold struct {
	start, period int64
	gauge         bool // see model.Datum
	bins          bool // keep distributions

	out []point
	// A gauge's readings are gathered for a minute, or a shorter period, and
	// then counted as one.
	part     point
	partFrom int64
	readings float64
}

// add merges points; seconds says that they are the original readings rather
// than roll-ups.
func (f *fold) add(points []point, seconds bool) {
	part := min(f.period, minute)
	for _, p := range points {
		if !f.bins {
			p.bins, p.blind = nil, true
		}
		if !f.gauge || !seconds {
			f.endPart()
			f.merge(p)
			continue
		}
		from := f.start + floor(p.at-f.start, part)
		if from != f.partFrom {
			f.endPart()
		}
		if f.readings == 0 {
			f.part, f.partFrom = p, from
		} else {
			f.part.add(p)
		}
		f.readings++
	}
}

func (f *fold) endPart() {
	if f.readings == 0 {
		return
	}
	p := f.part.scaled(f.readings)
	p.at = f.partFrom
	f.readings = 0
	f.merge(p)
}

func (f *fold) merge(p point) {
	p.at = f.start + floor(p.at-f.start, f.period)
	if last := len(f.out) - 1; last >= 0 && f.out[last].at == p.at {
		f.out[last].add(p)
		return
	}
	f.out = append(f.out, p)
}

// done returns the periods that have data, oldest first; at is a period's start.
func (f *fold) done() []point {
	f.endPart()
	return f.out
}
