package supervisor

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Real-time signals as the C libraries count them: they keep two for themselves.
const (
	firstRealTime = 34
	lastRealTime  = 64
)

// stopSignal reads "SIGTERM", "TERM", "15" or "SIGRTMIN+3".
func stopSignal(s string) (unix.Signal, error) {
	if s == "" {
		return unix.SIGTERM, nil
	}
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n <= lastRealTime {
		return unix.Signal(n), nil
	}
	name := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if n := unix.SignalNum("SIG" + name); n != 0 {
		return n, nil
	}
	if n, ok := realTime(name); ok {
		return n, nil
	}
	return 0, fmt.Errorf("stop signal %q is unknown", s)
}

// realTime reads "RTMIN", "RTMIN+3" or "RTMAX-1".
func realTime(name string) (unix.Signal, bool) {
	base, offset := firstRealTime, ""
	if rest, ok := strings.CutPrefix(name, "RTMAX"); ok {
		base, offset = lastRealTime, rest
	} else if offset, ok = strings.CutPrefix(name, "RTMIN"); !ok {
		return 0, false
	}
	n := base
	if offset != "" {
		by, err := strconv.Atoi(offset) // with its sign
		if err != nil || offset[0] != '+' && offset[0] != '-' {
			return 0, false
		}
		n += by
	}
	return unix.Signal(n), n >= firstRealTime && n <= lastRealTime
}
