package accesslog

import (
	"net/netip"
	"strconv"
	"time"
)

// Check is one health check of a target as its line tells of it.
type Check struct {
	Kind         string // "http", "https", "h2" or "grpc"
	At           time.Time
	Took         time.Duration
	Target       netip.AddrPort
	TargetGroup  string // its name
	Answered     bool
	Code         int    // of the answer
	Fault        string // AWS's code for why it failed; "": it did not
	LoadBalancer string
	Node         netip.Addr
}

// Append appends the check's line, in the format of the user guide for Application
// Load Balancers, "Health check log entries".
func (c *Check) Append(b []byte) []byte {
	b = append(append(b, c.Kind...), ' ')
	b = append(appendTime(b, c.At), ' ')
	b = append(strconv.AppendFloat(b, c.Took.Seconds(), 'f', 9, 64), ' ')
	b = append(appendAddress(b, c.Target), ' ')
	b = append(append(b, c.TargetGroup...), ' ')
	if c.Fault == "" {
		b = append(b, "PASS "...)
	} else {
		b = append(b, "FAIL "...)
	}
	if c.Answered {
		b = append(strconv.AppendInt(b, int64(c.Code), 10), ' ')
	} else {
		b = append(b, "- "...)
	}
	b = append(append(b, orDash(c.Fault)...), ' ')
	b = append(append(b, c.LoadBalancer...), ' ')
	return append(appendNode(b, c.Node), '\n')
}
