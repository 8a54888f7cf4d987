package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// run is one load of one contestant.
type run struct {
	requests float64
	perSec   float64
	p99      time.Duration
	cpu      float64 // seconds of the proxy; 0 for none
	failed   float64
}

var (
	requestsRE = regexp.MustCompile(`(\d+) requests in`)
	perSecRE   = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	p99RE      = regexp.MustCompile(`99%\s+([\d.]+(?:us|ms|s))`)
	errorsRE   = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
	non2xxRE   = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
)

// load runs wrk against a contestant.
func load(ctx context.Context, c contestant, size int, o options) (run, error) {
	before, err := cpuSeconds(c.pid)
	if err != nil {
		return run{}, err
	}
	args := []string{"-t1", "-c", strconv.Itoa(o.conns), "-d", strconv.Itoa(o.seconds) + "s", "--latency"}
	if o.churn {
		args = append(args, "-H", "Connection: close")
	}
	cmd := exec.CommandContext(ctx, "wrk", append(args, fmt.Sprintf("http://%s/%d", c.addr, size))...)
	text, err := cmd.CombinedOutput()
	if err != nil {
		return run{}, fmt.Errorf("wrk: %w: %s", err, text)
	}
	after, err := cpuSeconds(c.pid)
	if err != nil {
		return run{}, err
	}
	r := run{requests: number(requestsRE, text), perSec: number(perSecRE, text), cpu: after - before}
	r.failed = number(non2xxRE, text)
	if m := errorsRE.FindSubmatch(text); m != nil {
		for _, n := range m[1:] {
			v, _ := strconv.ParseFloat(string(n), 64)
			r.failed += v
		}
	}
	if m := p99RE.FindSubmatch(text); m != nil {
		if r.p99, err = time.ParseDuration(string(m[1])); err != nil {
			return run{}, err
		}
	}
	if r.requests == 0 || r.p99 == 0 {
		return run{}, fmt.Errorf("wrk said nothing of use: %s", text)
	}
	return r, nil
}

func number(re *regexp.Regexp, text []byte) float64 {
	if m := re.FindSubmatch(text); m != nil {
		v, _ := strconv.ParseFloat(string(m[1]), 64)
		return v
	}
	return 0
}

// ticksPerSecond is the kernel's USER_HZ, the same on all Linux platforms Go
// runs on.
const ticksPerSecond = 100

// cpuSeconds is the user and system time of a process and its children.
func cpuSeconds(pid int) (float64, error) {
	if pid == 0 {
		return 0, nil
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, file := range stats {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		text := string(b)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		if !strings.HasPrefix(text, strconv.Itoa(pid)+" ") && fields[1] != strconv.Itoa(pid) {
			continue
		}
		user, err1 := strconv.ParseFloat(fields[11], 64)
		system, err2 := strconv.ParseFloat(fields[12], 64)
		if err1 != nil || err2 != nil {
			return 0, fmt.Errorf("read %s: %q", file, text)
		}
		total += (user + system) / ticksPerSecond
	}
	return total, nil
}
