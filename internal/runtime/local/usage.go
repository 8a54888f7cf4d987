package local

import (
	"cmp"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"neargate/internal/model"
)

// machineCPU adds up the CPU time of all modes, which the kernel counts in
// hundredths of a second; that of guests is in the user's (proc(5)).
func machineCPU() (total time.Duration) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, word := range strings.Fields(line) {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil && i <= 8 {
			total += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return total
}

// Usage returns what a running task and each of its containers have consumed.
func (e *Engine) Usage(id string) (model.TaskUsage, bool) {
	t := e.task(id)
	if t == nil || !t.hasStarted() || t.hasEnded() {
		return model.TaskUsage{}, false
	}
	u := model.TaskUsage{
		TaskID: id, At: time.Now(), Network: e.net.Usage(t.rec.Address), MachineCPU: machineCPU(), CPUs: goruntime.NumCPU(),
		CountsDisk: e.layout.CountsDisk(), DiskUsed: t.reported().DiskUsed,
	}
	for _, c := range t.rec.Spec.Containers {
		one := model.ContainerUsage{Name: c.Name}
		if d, err := e.layout.Detail(filepath.Join(e.cgroupOf(t), c.Name)); err == nil {
			one = model.ContainerUsage{
				Name: c.Name, Running: true, CPU: d.CPU, Periods: d.Periods, ThrottledPeriods: d.ThrottledPeriods, Throttled: d.Throttled,
				Memory: d.Memory, MemoryPeak: d.MemoryPeak, MemoryStat: d.MemoryStat, Processes: d.Processes,
				MemoryLimit:   int64(cmp.Or(c.MemoryMiB, t.rec.Spec.MemoryMiB)) << 20,
				DiskReadBytes: d.ReadBytes, DiskWrittenBytes: d.WrittenBytes, DiskReads: d.Reads, DiskWrites: d.Writes,
			}
		}
		u.Containers = append(u.Containers, one)
	}
	return u, !t.hasEnded()
}
