package routing

import (
	"net/netip"
	"strings"
	"time"
)

// The names of ELB's cookies (sticky-sessions). AppCookie is followed by a digit.
const (
	TargetCookie     = "AWSALB"
	TargetCookieCORS = "AWSALBCORS"
	GroupCookie      = "AWSALBTG"
	GroupCookieCORS  = "AWSALBTGCORS"
	AppCookie        = "AWSALBAPP-"
	// AppCookies is how many of them there are: for so many target groups one
	// client can have sessions at a time.
	AppCookies = 4
)

// CookieLife is when ELB's cookies expire at the client, whatever the duration of
// the stickiness is: that is within them.
const CookieLife = 7 * 24 * time.Hour

// Session is what a cookie of stickiness says.
type Session struct {
	Group  uint64         // which target group
	Target netip.AddrPort // not of group stickiness
	Issued time.Time      // each answer issues it anew
}

// Holds reports whether a session at a target group still binds.
func (s Session) Holds(group uint64, duration time.Duration, now time.Time) bool {
	age := now.Sub(s.Issued)
	return s.Group == group && age >= 0 && age <= duration
}

// Cookies calls yield with each cookie of a Cookie header, until that returns
// false. Values are as they were sent: ELB takes none that are encoded.
func Cookies(header string, yield func(name, value string) bool) {
	for header != "" {
		var pair string
		pair, header, _ = strings.Cut(header, ";")
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if ok && !yield(name, value) {
			return
		}
	}
}

// SetsCookie reports whether the value of a Set-Cookie header sets the cookie with
// the name.
func SetsCookie(value, name string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(value, " "), name)
	return ok && strings.HasPrefix(strings.TrimLeft(rest, " "), "=")
}

// CrossSite reports whether a client that comes from another site wants cookies
// marked SameSite=None: browsers with Chromium of version 80 or later, by their
// User-Agent.
func CrossSite(agent string) bool {
	for _, mark := range []string{"Chrome/", "Chromium/"} {
		_, after, found := strings.Cut(agent, mark)
		if !found {
			continue
		}
		version := 0
		for i := 0; i < len(after) && i < 4 && '0' <= after[i] && after[i] <= '9'; i++ {
			version = 10*version + int(after[i]-'0')
		}
		return version >= 80
	}
	return false
}
