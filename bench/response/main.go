// Command response makes the table of response times that decide/scaling feeds
// forward with, by the simulator: n tasks of one vCPU behind a load balancer
// that picks the one with the fewest requests in flight, requests of a mean of
// one second of CPU with a coefficient of variation of 0.2, Poisson arrivals.
//
//	go run ./bench/response > internal/decide/scaling/responsetable.go
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// requests is how many each cell is measured on.
const requests = 1_500_000

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "response:", err)
		os.Exit(1)
	}
}

func write(w io.Writer) error {
	tasks := []int{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64}
	busy := []float64{0.05, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.84, 0.88, 0.91, 0.94, 0.96}
	percentiles := []float64{90, 95, 99, 99.9}
	var b strings.Builder
	b.WriteString("package scaling\n\n// Made by go run ./bench/response; see there.\n\n")
	b.WriteString("//nolint:gochecknoglobals // tables, never written\nvar (\n")
	fmt.Fprintf(&b, "\t// tableTasks are the table's counts.\n\ttableTasks = [...]int{%s}\n", join(tasks))
	fmt.Fprintf(&b, "\t// tableBusy are its utilisations.\n\ttableBusy = [...]float64{%s}\n", join(busy))
	fmt.Fprintf(&b, "\t// tablePercentiles are its percentiles.\n\ttablePercentiles = [...]float64{%s}\n", join(percentiles))
	b.WriteString("\t// responseTable gives percentiles of the response time in units of a\n\t// request's time on an idle task: by percentile, count and utilisation.\n")
	fmt.Fprintf(&b, "\tresponseTable = [...][%d][%d]float64{\n", len(tasks), len(busy))
	cells := make([][][]float64, len(percentiles))
	for _, n := range tasks {
		rows := make([][]float64, len(percentiles))
		for _, u := range busy {
			r, err := run(n, u)
			if err != nil {
				return err
			}
			for k, p := range percentiles {
				rows[k] = append(rows[k], r.Latencies.Percentile(p))
			}
		}
		for k := range percentiles {
			cells[k] = append(cells[k], rows[k])
		}
	}
	for k, p := range percentiles {
		fmt.Fprintf(&b, "\t\t{ // p%v\n", p)
		for i, row := range cells[k] {
			texts := make([]string, len(row))
			for j, x := range row {
				texts[j] = fmt.Sprintf("%.2f", x)
			}
			fmt.Fprintf(&b, "\t\t\t{%s}, // %d\n", strings.Join(texts, ", "), tasks[i])
		}
		b.WriteString("\t\t},\n")
	}
	b.WriteString("\t}\n)\n")
	_, err := io.WriteString(w, b.String())
	return err
}

type constant int

func (c constant) Second(model.ServiceSecond) (int, string) { return int(c), "" }

func run(n int, busy float64) (sim.Result, error) {
	rate := float64(n) * busy
	rates := make([]float64, int(requests/rate))
	for i := range rates {
		rates[i] = rate
	}
	return sim.Run(sim.Config{Seed: 1, Rates: rates, Demand: time.Second, CV: 0.2, TaskVCPU: 1, Initial: n, Scaler: constant(n)})
}

func join[T any](xs []T) string {
	texts := make([]string, len(xs))
	for i, x := range xs {
		texts[i] = fmt.Sprint(x)
	}
	return strings.Join(texts, ", ")
}
