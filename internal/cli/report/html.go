package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"time"
)

//go:embed page.html
var pageSource string

// HTML writes the run as one page that needs nothing else.
func HTML(w io.Writer, r Run) error {
	page, err := template.New("page").Funcs(template.FuncMap{"clock": clock}).Parse(pageSource)
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	var s svg
	newChart(&s, r).draw()
	var seconds []hover
	for _, x := range r.Seconds {
		seconds = append(seconds, hover{
			At: x.At.Seconds(), Clock: clock(x.At), Users: x.Users, Requests: x.Requests, Errors: x.Errors,
			P50: value(x.P50), P99: value(x.P99), CPU: value(x.CPU),
			Desired: x.Desired, Running: x.Running, Draining: x.Draining,
		})
	}
	return page.Execute(w, map[string]any{
		"Run": r, "Date": r.Started.Format("2 January 2006, 15:04"),
		"Chart": template.HTML(s.b.String()), //nolint:gosec // made above, every text escaped
		"Width": chartWidth, "Height": chartHeight(), "Left": marginLeft, "Plot": plotWidth, "Length": r.Length.Seconds(),
		"Seconds": seconds,
	})
}

// hover is what the page shows of the second under the pointer.
type hover struct {
	At       float64  `json:"at"`
	Clock    string   `json:"clock"`
	Users    int      `json:"users"`
	Requests int      `json:"requests"`
	Errors   int      `json:"errors"`
	P50      *float64 `json:"p50"`
	P99      *float64 `json:"p99"`
	CPU      *float64 `json:"cpu"`
	Desired  int      `json:"desired"`
	Running  int      `json:"running"`
	Draining int      `json:"draining"`
}

func value(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	v = math.Round(v*10) / 10
	return &v
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%04.1f", int(d.Minutes()), math.Mod(d.Seconds(), 60))
}
