package report

import (
	"fmt"
	"html"
	"image/color"
	"strings"
)

// svg is a canvas that writes SVG elements.
type svg struct {
	b strings.Builder
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

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
		coordinates(points), hex(st.color), st.width, dash)
}

func (s *svg) polygon(points []point, fill color.RGBA) {
	fmt.Fprintf(&s.b, `<polygon points="%s" fill="%s"/>`+"\n", coordinates(points), hex(fill))
}

func (s *svg) text(at point, t string, l label) {
	weight := ""
	if l.bold {
		weight = ` font-weight="600"`
	}
	fmt.Fprintf(&s.b, `<text x="%.1f" y="%.1f" font-size="%.0f" fill="%s" text-anchor="%s"%s>%s</text>`+"\n",
		at.x, at.y, l.size, hex(l.color), [...]string{"start", "middle", "end"}[l.anchor], weight, html.EscapeString(t))
}
