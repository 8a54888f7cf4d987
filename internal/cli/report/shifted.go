package report

// shifted is a canvas whose drawings are moved down.
type shifted struct {
	canvas
	down float64
}

func (s shifted) move(points []point) []point {
	out := make([]point, len(points))
	for i, p := range points {
		out[i] = point{p.x, p.y + s.down}
	}
	return out
}

func (s shifted) polyline(points []point, st stroke) { s.canvas.polyline(s.move(points), st) }

func (s shifted) polygon(points []point, fill rgb) { s.canvas.polygon(s.move(points), fill) }

func (s shifted) text(at point, t string, l label) { s.canvas.text(point{at.x, at.y + s.down}, t, l) }

func verdictColor(r Run) rgb {
	if r.Passed {
		return teal
	}
	return red
}
