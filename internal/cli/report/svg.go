package report

import (
	"fmt"
	"html"
	"strings"
)

// svg is a canvas that writes SVG elements.
type svg struct {
	b strings.Builder
}

func coordinates(points []point) string {
	var b strings.Builder
	for i, p := range points {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%.1f,%.1f", p.x, p.y)
	}
	return b.String()
}

func (s *svg) polyline(points []point, st stroke) {
	dash := ""
	if st.dashed {
		dash = ` stroke-dasharray="5 4"`
	}
	fmt.Fprintf(&s.b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="%.1f" stroke-linejoin="round"%s/>`+"\n",
		coordinates(points), st.color.hex(), st.width, dash)
}

func (s *svg) polygon(points []point, fill rgb) {
	fmt.Fprintf(&s.b, `<polygon points="%s" fill="%s"/>`+"\n", coordinates(points), fill.hex())
}

func (s *svg) text(at point, t string, l label) {
	weight := ""
	if l.bold {
		weight = ` font-weight="600"`
	}
	fmt.Fprintf(&s.b, `<text x="%.1f" y="%.1f" font-size="%.0f" fill="%s" text-anchor="%s"%s>%s</text>`+"\n",
		at.x, at.y, l.size, l.color.hex(), [...]string{"start", "middle", "end"}[l.anchor], weight, html.EscapeString(t))
}
