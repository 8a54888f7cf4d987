package model

import (
	"strconv"
	"strings"
)

// LogBuffer is how a container's output waits for the log driver: options mode
// and max-buffer-size, which all drivers have (API_LogConfiguration).
type LogBuffer struct {
	Bytes    int64 // 0: the runtime's own bound
	Blocking bool  // the container waits where the buffer is full; else the oldest is lost
}

// Buffer returns what the options say of the buffer. ok is false, with the name
// of the option, where one has a value that it cannot have.
func (c LogConfig) Buffer() (b LogBuffer, option string, ok bool) {
	switch c.Options["mode"] {
	case "blocking":
		b.Blocking = true
	case "", "non-blocking":
	default:
		return b, "mode", false
	}
	if size := c.Options["max-buffer-size"]; size != "" {
		if b.Bytes, ok = parseSize(size); !ok {
			return b, "max-buffer-size", false
		}
	}
	return b, "", true
}

// parseSize reads a number of bytes with the units of Docker's log options: b,
// k, m or g, of 1024 each.
func parseSize(s string) (bytes int64, ok bool) {
	s = strings.TrimSuffix(strings.ToLower(s), "b")
	shift := 0
	if n := len(s); n > 0 {
		if i := strings.IndexByte("kmg", s[n-1]); i >= 0 {
			shift, s = 10*(i+1), s[:n-1]
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || n > 1<<40>>shift {
		return 0, false
	}
	return n << shift, true
}
