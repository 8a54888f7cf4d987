package simulate

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
)

// writeSeconds writes a line for each policy and second of the first seed's
// run.
func writeSeconds(w io.Writer, p *plan, rows []row) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{
		"policy", "second", "requests_per_second", "needed", "desired", "running", "starting", "draining",
		"queued", "in_flight", "completed", "over_slo", "p50_seconds", "p99_seconds", "task_seconds",
	}); err != nil {
		return err
	}
	for _, r := range rows {
		for i, s := range r.first.Seconds {
			n := func(v int) string { return strconv.Itoa(v) }
			if err := c.Write([]string{
				r.name, n(i), decimal(s.Rate), n(p.need[i]), n(s.Desired), n(s.Running), n(s.Starting), n(s.Drained),
				n(s.Queued), n(s.InFlight), n(s.Completed), n(s.Late), decimal(r.p50[i]), decimal(r.p99[i]), decimal(s.TaskSeconds),
			}); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// writeSummary writes a line for each policy and seed.
func writeSummary(w io.Writer, _ *plan, rows []row) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{
		"policy", "seed", "task_seconds", "x_clairvoyant", "over_slo_percent", "p50_seconds", "p99_seconds",
		"too_few_percent", "orders", "orders_per_hour", "requests", "unanswered",
	}); err != nil {
		return err
	}
	for _, r := range rows {
		for _, m := range r.runs {
			if err := c.Write([]string{
				r.name, strconv.FormatUint(m.seed, 10), decimal(m.TaskSeconds), decimal(m.cost), decimal(m.LatePercent), decimal(m.P50), decimal(m.P99),
				decimal(m.UnderShare), strconv.Itoa(m.Actions), decimal(m.ActionsPerHour), strconv.Itoa(m.Requests), strconv.Itoa(m.unanswered),
			}); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// decimal is a number with six digits, nothing for NaN.
func decimal(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}
