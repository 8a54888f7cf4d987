package report

import (
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// raster is a canvas of pixels. Coordinates are scaled, so that the picture is
// sharp on dense screens.
type raster struct {
	img           *image.RGBA
	scale         float64
	regular, bold *opentype.Font
	faces         map[faceKey]font.Face
}

type faceKey struct {
	size float64
	bold bool
}

func newRaster(width, height, scale float64) (*raster, error) {
	r := &raster{scale: scale, faces: map[faceKey]font.Face{}}
	var err error
	if r.regular, err = opentype.Parse(goregular.TTF); err != nil {
		return nil, fmt.Errorf("parse the regular font: %w", err)
	}
	if r.bold, err = opentype.Parse(gobold.TTF); err != nil {
		return nil, fmt.Errorf("parse the bold font: %w", err)
	}
	r.img = image.NewRGBA(image.Rect(0, 0, int(width*scale), int(height*scale)))
	draw.Draw(r.img, r.img.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	return r, nil
}

func (r *raster) encode(w io.Writer) error { return png.Encode(w, r.img) }

func (r *raster) polygon(points []point, fill rgb) {
	if len(points) < 3 {
		return
	}
	b := r.img.Bounds()
	z := vector.NewRasterizer(b.Dx(), b.Dy())
	for i, p := range points {
		x, y := float32(p.x*r.scale), float32(p.y*r.scale)
		if i == 0 {
			z.MoveTo(x, y)
		} else {
			z.LineTo(x, y)
		}
	}
	z.ClosePath()
	z.Draw(r.img, b, image.NewUniform(fill), image.Point{})
}

// polyline draws each segment as a thin rectangle, all in one path so that
// joints are not darker than lines.
func (r *raster) polyline(points []point, s stroke) {
	b := r.img.Bounds()
	z := vector.NewRasterizer(b.Dx(), b.Dy())
	along := 0.0
	for i := 1; i < len(points); i++ {
		for _, seg := range dashes(points[i-1], points[i], s.dashed, along) {
			r.segment(z, seg[0], seg[1], s.width)
		}
		along += math.Hypot(points[i].x-points[i-1].x, points[i].y-points[i-1].y)
	}
	z.Draw(r.img, b, image.NewUniform(s.color), image.Point{})
}

func (r *raster) segment(z *vector.Rasterizer, a, b point, width float64) {
	dx, dy := b.x-a.x, b.y-a.y
	length := math.Hypot(dx, dy)
	if length == 0 {
		return
	}
	// Half the width along the line as well closes the gaps at corners.
	ux, uy := dx/length*width/2, dy/length*width/2
	at := func(p point, along, across float64) (float32, float32) {
		return float32((p.x + along*ux - across*uy) * r.scale), float32((p.y + along*uy + across*ux) * r.scale)
	}
	z.MoveTo(at(a, -0.5, 1))
	z.LineTo(at(b, 0.5, 1))
	z.LineTo(at(b, 0.5, -1))
	z.LineTo(at(a, -0.5, -1))
	z.ClosePath()
}

// The pattern of a dashed line, as in the SVG.
const dashOn, dashOff = 5.0, 4.0

// dashes cuts a segment that begins so far along its line into dashes, or
// gives it whole.
func dashes(a, b point, dashed bool, along float64) [][2]point {
	if !dashed {
		return [][2]point{{a, b}}
	}
	length := math.Hypot(b.x-a.x, b.y-a.y)
	at := func(d float64) point {
		d = min(max(d/length, 0), 1)
		return point{a.x + (b.x-a.x)*d, a.y + (b.y-a.y)*d}
	}
	var out [][2]point
	for d := -math.Mod(along, dashOn+dashOff); d < length; d += dashOn + dashOff {
		if d+dashOn > 0 {
			out = append(out, [2]point{at(d), at(d + dashOn)})
		}
	}
	return out
}

func (r *raster) text(at point, s string, l label) {
	face, err := r.face(faceKey{l.size, l.bold})
	if err != nil {
		return // the fonts are built in and have been parsed
	}
	width := float64(font.MeasureString(face, s)) / 64
	x := at.x * r.scale
	switch l.anchor {
	case start:
	case middle:
		x -= width / 2
	case end:
		x -= width
	}
	d := font.Drawer{
		Dst: r.img, Src: image.NewUniform(l.color), Face: face,
		Dot: fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(at.y * r.scale * 64)},
	}
	d.DrawString(s)
}

func (r *raster) face(k faceKey) (font.Face, error) {
	if f, ok := r.faces[k]; ok {
		return f, nil
	}
	src := r.regular
	if k.bold {
		src = r.bold
	}
	f, err := opentype.NewFace(src, &opentype.FaceOptions{Size: k.size * r.scale, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("make a font face of size %v: %w", k.size, err)
	}
	r.faces[k] = f
	return f, nil
}
