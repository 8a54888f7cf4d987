package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Usage is what a cgroup and all below it have consumed.
type Usage struct {
	CPU       time.Duration // since it was made
	Throttled time.Duration // spent waiting for quota since it was made
	Memory    int64         // working set now, bytes: what cannot be dropped at once
}

// Meter reads one cgroup's usage. Its files stay open, so that a reading costs
// a few system calls. Not for use by two goroutines at once.
type Meter struct {
	form
	cpuUsage, cpuStat *os.File
	memUsage, memStat *os.File
	buf               []byte
}

// form is how a version of cgroups names and counts things.
type form struct {
	cpuUsage, memUsage string // files; cpuUsage "" is a field of cpu.stat
	usage, throttled   []byte // fields of cpu.stat
	unit               time.Duration
	inactive           []byte // a field of memory.stat
}

func (l *Layout) form() form {
	if l.unified {
		return form{
			memUsage: "memory.current", usage: []byte("usage_usec"), throttled: []byte("throttled_usec"),
			unit: time.Microsecond, inactive: []byte("inactive_file"),
		}
	}
	return form{
		cpuUsage: "cpuacct.usage", memUsage: "memory.usage_in_bytes", throttled: []byte("throttled_time"),
		unit: time.Nanosecond, inactive: []byte("total_inactive_file"),
	}
}

// Meter opens the cgroup's files. Close it when done.
func (l *Layout) Meter(path string) (*Meter, error) {
	m := &Meter{form: l.form(), buf: make([]byte, 8<<10)}
	for _, f := range []struct {
		to               **os.File
		controller, name string
	}{
		{&m.cpuStat, "cpu", "cpu.stat"},
		{&m.cpuUsage, "cpuacct", m.form.cpuUsage},
		{&m.memUsage, "memory", m.form.memUsage},
		{&m.memStat, "memory", "memory.stat"},
	} {
		if f.name == "" {
			continue
		}
		file, err := os.Open(l.file(f.controller, path, f.name))
		if err != nil {
			m.Close()
			return nil, fmt.Errorf("open cgroup: %w", err)
		}
		*f.to = file
	}
	return m, nil
}

// Close closes the files.
func (m *Meter) Close() {
	for _, f := range []*os.File{m.cpuUsage, m.cpuStat, m.memUsage, m.memStat} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// Read takes a reading.
func (m *Meter) Read() (Usage, error) {
	var u Usage
	stat, err := m.text(m.cpuStat)
	if err != nil {
		return Usage{}, err
	}
	u.Throttled = time.Duration(field(stat, m.throttled)) * m.unit
	if m.cpuUsage == nil {
		u.CPU = time.Duration(field(stat, m.usage)) * m.unit
	} else {
		total, err := m.text(m.cpuUsage)
		if err != nil {
			return Usage{}, err
		}
		u.CPU = time.Duration(number(total))
	}
	total, err := m.text(m.memUsage)
	if err != nil {
		return Usage{}, err
	}
	u.Memory = number(total)
	if stat, err = m.text(m.memStat); err != nil {
		return Usage{}, err
	}
	u.Memory = max(0, u.Memory-field(stat, m.inactive))
	return u, nil
}

// text reads a whole file into the meter's buffer.
func (m *Meter) text(f *os.File) ([]byte, error) {
	n, err := f.ReadAt(m.buf, 0)
	if n == 0 && err != nil {
		return nil, fmt.Errorf("read cgroup: %w", err)
	}
	if n == len(m.buf) {
		return nil, errors.New("read cgroup: file is larger than expected")
	}
	return m.buf[:n], nil
}

// field returns the number after "key " at the start of a line, 0 when there is none.
func field(text, key []byte) int64 {
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		if v, ok := bytes.CutPrefix(line, key); ok && len(v) > 0 && v[0] == ' ' {
			return number(v[1:])
		}
		text = rest
	}
	return 0
}

func number(b []byte) int64 {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
