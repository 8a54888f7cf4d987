package report

import "image/color"

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
	color  color.RGBA
	width  float64
	dashed bool
}

// label is how a text looks.
type label struct {
	color  color.RGBA
	size   float64 // pixels
	bold   bool
	anchor anchor
}

// canvas is what a chart is drawn upon: the page's SVG or the picture's pixels.
type canvas interface {
	polyline(points []point, s stroke)
	polygon(points []point, fill color.RGBA)
	text(at point, s string, l label)
}

func rect(c canvas, x, y, w, h float64, fill color.RGBA) {
	c.polygon([]point{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}, fill)
}

// The colours: one hue a meaning, the same in every panel.
var (
	ink      = color.RGBA{0x1f, 0x29, 0x37, 0xff}
	muted    = color.RGBA{0x6b, 0x72, 0x80, 0xff}
	grid     = color.RGBA{0xe5, 0xe7, 0xeb, 0xff}
	paper    = color.RGBA{0xff, 0xff, 0xff, 0xff}
	blue     = color.RGBA{0x25, 0x63, 0xeb, 0xff}
	paleBlue = color.RGBA{0xdb, 0xe7, 0xfd, 0xff}
	teal     = color.RGBA{0x0d, 0x94, 0x88, 0xff}
	paleTeal = color.RGBA{0xd3, 0xf0, 0xec, 0xff}
	orange   = color.RGBA{0xea, 0x58, 0x0c, 0xff}
	paleGold = color.RGBA{0xfd, 0xe9, 0xc4, 0xff}
	red      = color.RGBA{0xdc, 0x26, 0x26, 0xff}
	violet   = color.RGBA{0x7c, 0x3a, 0xed, 0xff}
)
