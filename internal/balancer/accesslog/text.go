package accesslog

import (
	"net/netip"
	"strconv"
	"time"

	"neargate/internal/balancer/exchange"
)

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
}

func appendAddress(b []byte, a netip.AddrPort) []byte {
	if !a.IsValid() {
		return append(b, '-')
	}
	return a.AppendTo(b)
}

// appendSpan appends seconds with three digits, -1 where one of the moments did
// not come.
func appendSpan(b []byte, from, to time.Time) []byte {
	if from.IsZero() || to.IsZero() {
		return append(b, "-1"...)
	}
	return strconv.AppendFloat(b, max(0, to.Sub(from)).Seconds(), 'f', 3, 64)
}

func appendCode(b []byte, status int) []byte {
	if status == 0 {
		return append(b, '-')
	}
	return strconv.AppendInt(b, int64(status), 10)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func appendQuoted(b []byte, s string) []byte {
	return append(appendEscaped(append(b, '"'), orDash(s)), '"')
}

const hexDigits = "0123456789abcdef"

// appendEscaped appends a client's text so that it ends neither its field nor
// its line: quotes, backslashes and what is not printable as \xNN.
func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\' || c < ' ' || c > '~':
			b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}

// appendConn appends the ID by which the lines of a connection are found.
func appendConn(b []byte, id exchange.ConnID) []byte {
	if id == (exchange.ConnID{}) {
		return append(b, '-')
	}
	b = append(b, "TID_"...)
	for _, half := range id {
		for shift := 60; shift >= 0; shift -= 4 {
			b = append(b, hexDigits[half>>shift&15])
		}
	}
	return b
}

// appendNode appends the address of the load balancer.
func appendNode(b []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return append(b, '-')
	}
	return a.AppendTo(b)
}
