package cli

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"neargate/internal/console"
)

// line is one line of the table: a service, a task or a container.
type line struct {
	name, status   string
	units          float64 // CPU units used
	of             int     // CPU units there are
	memory, limit  int64   // bytes
	rx, tx         float64 // bytes a second
	requests       float64 // a second
	traffic, calls bool    // it has a network; requests are counted
	tasks          int
}

// usageTable is what was consumed between two readings.
func usageTable(was, now console.Usage) string {
	before := map[string]console.TaskUsage{}
	for _, t := range was.Tasks {
		before[t.Task] = t
	}
	var b strings.Builder
	containers := 0
	for _, t := range now.Tasks {
		containers += len(t.Containers)
	}
	fmt.Fprintf(&b, "%s  services %d  tasks %d  containers %d\n\n", now.At.Local().Format("2006-01-02 15:04:05"), len(now.Services), len(now.Tasks), containers)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE / TASK / CONTAINER\tSTATUS\tCPU %\tMEMORY\tOF\tIN/s\tOUT/s\tREQ/s")
	for _, s := range now.Services {
		lines := linesOf(s.Cluster, s.Service, before, now)
		sum := total(lines)
		sum.name, sum.status = s.Cluster+"/"+s.Service, fmt.Sprintf("%d of %d", sum.tasks, s.Desired)
		sum.calls, sum.requests = s.Balanced, rate(requestsOf(was, s), s.Requests, now.At.Sub(was.At))
		writeLines(w, append([]line{sum}, lines...))
	}
	for _, t := range now.Tasks {
		if t.Service == "" {
			lines := taskLines(before[t.Task], t, "")
			lines[0].name = t.Cluster + "/" + t.Group + " " + lines[0].name
			writeLines(w, lines)
		}
	}
	_ = w.Flush() // to memory
	return b.String()
}

// linesOf are the lines of a service's tasks and their containers.
func linesOf(cluster, service string, before map[string]console.TaskUsage, now console.Usage) (lines []line) {
	for _, t := range now.Tasks {
		if t.Cluster == cluster && t.Service == service {
			lines = append(lines, taskLines(before[t.Task], t, "  ")...)
		}
	}
	return lines
}

// taskLines are the line of a task, which a shade of blank precedes, and those
// of its containers.
func taskLines(was, now console.TaskUsage, shade string) []line {
	head := line{name: shade + now.Task[:min(8, len(now.Task))], status: strings.ToLower(now.Status), of: now.CPUUnits, limit: int64(now.MemoryMiB) << 20, tasks: 1}
	elapsed := now.At.Sub(was.At)
	head.traffic = !was.At.IsZero() && elapsed > 0
	if head.traffic {
		head.rx, head.tx = rate(was.RxBytes, now.RxBytes, elapsed), rate(was.TxBytes, now.TxBytes, elapsed)
	}
	lines := []line{head}
	for _, c := range now.Containers {
		one := line{name: shade + "  " + c.Container, of: now.CPUUnits, memory: c.Memory, limit: c.MemoryLimit}
		for _, old := range was.Containers {
			if old.Container == c.Container && elapsed > 0 && c.CPU >= old.CPU {
				one.units = 1024 * (c.CPU - old.CPU).Seconds() / elapsed.Seconds()
			}
		}
		lines[0].units, lines[0].memory = lines[0].units+one.units, lines[0].memory+one.memory
		lines = append(lines, one)
	}
	return lines
}

// total adds up the tasks among the lines.
func total(lines []line) (sum line) {
	for _, l := range lines {
		if l.tasks == 0 {
			continue
		}
		sum.units, sum.of, sum.memory, sum.limit = sum.units+l.units, sum.of+l.of, sum.memory+l.memory, sum.limit+l.limit
		sum.rx, sum.tx, sum.traffic = sum.rx+l.rx, sum.tx+l.tx, sum.traffic || l.traffic
		if l.status == "running" {
			sum.tasks++
		}
	}
	return sum
}

func requestsOf(u console.Usage, s console.ServiceUsage) uint64 {
	for _, old := range u.Services {
		if old.Cluster == s.Cluster && old.Service == s.Service {
			return old.Requests
		}
	}
	return 0
}

// rate is how much a counter grew in a second; one that shrank has begun anew.
func rate(was, now uint64, over time.Duration) float64 {
	if now < was {
		was = 0
	}
	return float64(now-was) / max(over, time.Millisecond).Seconds()
}

func writeLines(w *tabwriter.Writer, lines []line) {
	for _, l := range lines {
		rx, tx, requests := "", "", ""
		if l.traffic {
			rx, tx = bytesText(l.rx), bytesText(l.tx)
		}
		if l.calls {
			requests = fmt.Sprintf("%.1f", l.requests)
		}
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%s\t%s\t%s\t%s\t%s\n", l.name, l.status, 100*l.units/float64(cmp.Or(l.of, 1)),
			bytesText(float64(l.memory)), bytesText(float64(l.limit)), rx, tx, requests)
	}
}

// bytesText writes a number of bytes with three digits or so.
func bytesText(n float64) string {
	for _, unit := range []string{"B", "KiB", "MiB"} {
		if n < 1000 {
			return fmt.Sprintf("%.0f %s", n, unit)
		}
		n /= 1024
	}
	return fmt.Sprintf("%.1f GiB", n)
}
