package report

import "fmt"

// point is a place on a canvas in pixels, y downwards.
type point struct{ x, y float64 }

// anchor says which part of a text stands at its point.
type anchor int

const (
	start anchor = iota
	middle
	end
)

// stroke is how a line looks.
type stroke struct {
	color  rgb
	width  float64
	dashed bool
}

// label is how a text looks.
type label struct {
	color  rgb
	size   float64 // pixels
	bold   bool
	anchor anchor
}

// canvas is what a chart is drawn upon: the page's SVG or the picture's pixels.
type canvas interface {
	polyline(points []point, s stroke)
	polygon(points []point, fill rgb)
	text(at point, s string, l label)
}

// laneTall is the height of a lane of ticks.
const laneTall = 14.0

// bar draws a lane, or a tick in it.
func bar(c canvas, x, y, w float64, fill rgb) {
	c.polygon([]point{{x, y}, {x + w, y}, {x + w, y + laneTall}, {x, y + laneTall}}, fill)
}

// rgb is an opaque colour, 0xRRGGBB.
type rgb uint32

// RGBA makes it a color.Color.
func (c rgb) RGBA() (r, g, b, a uint32) {
	return uint32(c>>16&0xff) * 0x101, uint32(c>>8&0xff) * 0x101, uint32(c&0xff) * 0x101, 0xffff
}

func (c rgb) hex() string { return fmt.Sprintf("#%06x", uint32(c)) }

// The colours: one hue a meaning, the same in every panel.
const (
	ink      rgb = 0x1f2937
	muted    rgb = 0x6b7280
	grid     rgb = 0xe5e7eb
	stripe   rgb = 0xf6f7f9
	paper    rgb = 0xffffff
	blue     rgb = 0x2563eb
	paleBlue rgb = 0xdbe7fd
	teal     rgb = 0x0d9488
	paleTeal rgb = 0xd3f0ec
	orange   rgb = 0xea580c
	paleGold rgb = 0xfde9c4
	red      rgb = 0xdc2626
	violet   rgb = 0x7c3aed
	gold     rgb = 0xd9a520
	pink     rgb = 0xdb2777
	brown    rgb = 0x92400e
)
