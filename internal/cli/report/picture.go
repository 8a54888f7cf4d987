package report

import (
	"fmt"
	"io"
)

// pictureScale makes the PNG sharp on screens of double density.
const pictureScale = 2

// PNG writes the run's chart as a picture.
func PNG(w io.Writer, r Run) error {
	const head = 76.0
	c, err := newRaster(chartWidth, chartHeight()+head, pictureScale)
	if err != nil {
		return err
	}
	c.text(point{marginLeft, 34}, r.Title, label{color: ink, size: 20, bold: true})
	c.text(point{marginLeft, 56}, r.Verdict, label{color: verdictColor(r), size: 13})
	newChart(shifted{c, head}, r).draw()
	if err := c.encode(w); err != nil {
		return fmt.Errorf("encode the picture: %w", err)
	}
	return nil
}
