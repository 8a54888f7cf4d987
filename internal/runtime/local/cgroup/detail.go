package cgroup

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"time"
)

// Detail is what a cgroup and all below it have consumed, in full.
type Detail struct {
	CPU, Throttled            time.Duration // since it was made
	Periods, ThrottledPeriods int64         // of the CPU quota
	Memory, MemoryPeak        int64         // bytes
	MemoryStat                map[string]uint64
	Processes                 int
	ReadBytes, WrittenBytes   uint64 // of block devices; cgroup v2 only
	Reads, Writes             uint64
}

// CountsDisk reports whether cgroups count what goes to and from disks. Those of
// version 1 would each need one more, in the hierarchy of blkio, which costs the
// start of a task.
func (l *Layout) CountsDisk() bool { return l.io }

// Detail reads a cgroup. Unlike a Meter it keeps no file open: it is for
// readings that are few.
func (l *Layout) Detail(path string) (d Detail, err error) {
	read := func(controller, name string) []byte {
		text, e := os.ReadFile(l.file(controller, path, name))
		if e != nil && !errors.Is(e, os.ErrNotExist) { // a newer kernel's, or a controller that is off
			err = errors.Join(err, e)
		}
		return text
	}
	f := l.form()
	stat := read("cpu", "cpu.stat")
	if stat == nil {
		return d, errors.Join(err, os.ErrNotExist)
	}
	d.Throttled = time.Duration(field(stat, f.throttled)) * f.unit
	d.Periods, d.ThrottledPeriods = field(stat, []byte("nr_periods")), field(stat, []byte("nr_throttled"))
	if f.cpuUsage == "" {
		d.CPU = time.Duration(field(stat, f.usage)) * f.unit
	} else {
		d.CPU = time.Duration(number(read("cpuacct", f.cpuUsage)))
	}
	peak := "memory.peak"
	if !l.unified {
		peak = "memory.max_usage_in_bytes"
	}
	d.Memory, d.MemoryPeak = number(read("memory", f.memUsage)), number(read("memory", peak))
	d.MemoryStat = fields(read("memory", "memory.stat"))
	d.Processes = int(number(read("pids", "pids.current")))
	if l.unified {
		d.disk(read("io", "io.stat"))
	}
	return d, err
}

// fields returns all the numbers of a file of lines "key number".
func fields(text []byte) map[string]uint64 {
	all := make(map[string]uint64, 64)
	for line := range bytes.Lines(text) {
		key, value, ok := bytes.Cut(line, []byte{' '})
		if n := number(value); ok && n >= 0 {
			all[string(key)] = uint64(n)
		}
	}
	return all
}

// disk adds up the devices of an io.stat.
func (d *Detail) disk(text []byte) {
	for line := range strings.Lines(string(text)) {
		for pair := range strings.FieldsSeq(line) {
			key, value, _ := strings.Cut(pair, "=")
			n := uint64(max(0, number([]byte(value))))
			switch key {
			case "rbytes":
				d.ReadBytes += n
			case "wbytes":
				d.WrittenBytes += n
			case "rios":
				d.Reads += n
			case "wios":
				d.Writes += n
			}
		}
	}
}
