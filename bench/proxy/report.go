package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"neargate/bench/peers"
	"neargate/bench/rig"
)

// cell is a row of a table: a contestant at one answer size.
type cell struct {
	name string
	size int
}

// median of a figure over the rounds.
func median(runs []run, of func(run) float64) float64 {
	v := make([]float64, len(runs))
	for i, r := range runs {
		v[i] = of(r)
	}
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

func cpuPer100k(r run) float64 { return r.cpu / r.requests * 100_000 }

// report writes the tables as Markdown.
func report(f *field, runs map[cell][]run, o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# HTTP/1.1 proxies side by side\n\n")
	fmt.Fprintf(&b, "`go run ./bench/proxy -rounds %d -seconds %d -conns %d%s` on %s, %s.\n\n",
		o.rounds, o.seconds, o.conns, map[bool]string{true: " -churn"}[o.churn], time.Now().UTC().Format(time.DateOnly), rig.Machine())
	fmt.Fprintf(&b, "%d connections (wrk), %d small backends, all on loopback and on the same cores; contestants interleaved, medians of %d rounds. Trust the CPU column and the ratios: requests per second and tails move with the neighbours. Load average during the run: %s.\n",
		o.conns, backends, o.rounds, rig.LoadAverage())
	for _, size := range peers.Sizes() {
		fmt.Fprintf(&b, "\n## Answers of %d bytes\n\n", size)
		b.WriteString("| proxy | CPU-seconds of the proxy per 100,000 requests | against nginx | requests/s | against nginx | p99, ms | failed |\n|---|---|---|---|---|---|---|\n")
		ref := runs[cell{nginx, size}]
		for _, c := range f.contestants {
			b.WriteString(row(c.name, runs[cell{c.name, size}], ref))
		}
	}
	return b.String()
}

func row(name string, runs, ref []run) string {
	perSec := func(r run) float64 { return r.perSec }
	cpu, rate := median(runs, cpuPer100k), median(runs, perSec)
	cpuText, cpuRatio, rateRatio := "", "", ""
	if cpu > 0 {
		cpuText = fmt.Sprintf("%.2f", cpu)
	}
	if len(ref) > 0 {
		if cpu > 0 {
			cpuRatio = fmt.Sprintf("%.2f", cpu/median(ref, cpuPer100k))
		}
		rateRatio = fmt.Sprintf("%.2f", rate/median(ref, perSec))
	}
	failed := 0.0
	for _, r := range runs {
		failed += r.failed
	}
	p99 := median(runs, func(r run) float64 { return float64(r.p99) / float64(time.Millisecond) })
	return fmt.Sprintf("| %s | %s | %s | %.0f | %s | %.1f | %.0f |\n", name, cpuText, cpuRatio, rate, rateRatio, p99, failed)
}
