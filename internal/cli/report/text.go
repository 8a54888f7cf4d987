package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
)

// CSV writes one line a second.
func CSV(w io.Writer, r Run) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"second", "users", "requests", "errors", "p50_ms", "p99_ms", "cpu_percent", "desired", "running", "draining"}}
	for _, s := range r.Seconds {
		rows = append(rows, []string{
			strconv.Itoa(int(s.At.Seconds())), strconv.Itoa(s.Users), strconv.Itoa(s.Requests), strconv.Itoa(s.Errors),
			decimal(s.P50), decimal(s.P99), decimal(s.CPU),
			strconv.Itoa(s.Desired), strconv.Itoa(s.Running), strconv.Itoa(s.Draining),
		})
	}
	return c.WriteAll(rows)
}

// decimal prints a value with one decimal, and nothing where there was none.
func decimal(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// Events writes one line for each mark, oldest first.
func Events(w io.Writer, r Run) error {
	for _, m := range r.Marks {
		line := fmt.Sprintf("%s  %-8s  %s", r.Started.Add(m.At).UTC().Format("2006-01-02T15:04:05.000Z"), m.Kind, m.Text)
		if m.Detail != "" {
			line += "  " + m.Detail
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
