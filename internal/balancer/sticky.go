package balancer

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// stickiness is how a target group binds a client to one of its targets.
type stickiness struct {
	group    uint64 // in cookies
	app      string // the application's cookie; "" where the balancer's own suffices
	duration time.Duration
}

// readStickiness returns a target group's stickiness; nil for none.
func readStickiness(tg model.TargetGroup) *stickiness {
	if tg.Attributes["stickiness.enabled"] != "true" {
		return nil
	}
	s := &stickiness{group: groupNumber(tg.ARN)}
	key := "stickiness.lb_cookie.duration_seconds"
	if tg.Attributes["stickiness.type"] == "app_cookie" {
		s.app = tg.Attributes["stickiness.app_cookie.cookie_name"]
		key = "stickiness.app_cookie.duration_seconds"
	}
	s.duration = time.Duration(number(tg.Attributes, key, 86400)) * time.Second
	return s
}

// groupNumber is what stands for a target group in cookies: the digits at the end
// of its ARN.
func groupNumber(arn string) uint64 {
	n, _ := strconv.ParseUint(arn[strings.LastIndexByte(arn, '/')+1:], 16, 64) // our own
	return n
}

// maxUnseal is how many cookies of one name are looked at in a request, so that
// nobody has us decrypt for nothing.
const maxUnseal = 8

// bound is a claim of a target whose group binds clients: exchange.Lease and
// exchange.Answerer.
type bound struct {
	*target
	stick *stickiness
	known bool // the client had a session here, whatever became of its target
	slot  int  // of the AWSALBAPP cookies
}

// claimBound is Claim for a group that binds clients. What a session binds to a
// target goes there even above the limit of requests in flight: there is no
// other for it.
func (w *weightedGroup) claimBound(r *exchange.Request, stick *stickiness) (exchange.Lease, error) {
	b := &bound{stick: stick}
	session := b.session(w.group.cookies, r)
	if r.Attempt() == 0 && session.Holds(stick.group, stick.duration, time.Now()) {
		if t := w.group.serving.Load().at(session.Target); t != nil && t.claim(0) {
			w.group.traffic.arrivals.Add(1)
			b.target = t
			return b, nil
		}
	}
	t, err := w.claim(r)
	if err != nil {
		return nil, err
	}
	if r.Attempt() == 0 {
		w.lb.traffic.nonSticky.Add(1)
	}
	b.target = t
	return b, nil
}

// session returns the session of a request; the zero one for none. The
// application's needs its own cookie beside.
func (b *bound) session(cookies *sealer, r *exchange.Request) (out routing.Session) {
	if b.stick.app != "" {
		return b.appSession(cookies, r)
	}
	left := maxUnseal
	eachCookie(r, func(name, value string) bool {
		if name != routing.TargetCookie && name != routing.TargetCookieCORS {
			return true
		}
		left--
		s, ok := cookies.unseal(targetKind, value)
		if ok && s.Group == b.stick.group {
			out, b.known = s, true
			return false
		}
		return left > 0
	})
	return out
}

// appSession also finds the cookie for the session to come: the one that has it
// already, else one that has none, else any.
func (b *bound) appSession(cookies *sealer, r *exchange.Request) (out routing.Session) {
	var taken [routing.AppCookies]bool
	app, left := false, maxUnseal
	eachCookie(r, func(name, value string) bool {
		if name == b.stick.app {
			app = true
			return true
		}
		slot, isOurs := appSlot(name)
		if !isOurs || left == 0 {
			return true
		}
		left--
		if s, ok := cookies.unseal(appKind, value); ok {
			taken[slot] = true
			if s.Group == b.stick.group {
				out, b.known, b.slot = s, true, slot
			}
		}
		return true
	})
	if b.known = b.known && app; !app {
		out = routing.Session{}
	}
	if out.Group == 0 {
		b.slot = int(b.stick.group % routing.AppCookies)
		for i := range taken {
			if !taken[(b.slot+i)%routing.AppCookies] {
				b.slot = (b.slot + i) % routing.AppCookies
				break
			}
		}
	}
	return out
}

// appSlot returns the number of an AWSALBAPP cookie.
func appSlot(name string) (int, bool) {
	digit, ok := strings.CutPrefix(name, routing.AppCookie)
	if !ok || len(digit) != 1 || digit[0] < '0' || digit[0] >= '0'+routing.AppCookies {
		return 0, false
	}
	return int(digit[0] - '0'), true
}

// Answers puts the cookies in which bind the client to the target that answers:
// exchange.Answerer.
func (b *bound) Answers(r *exchange.Request, h *exchange.Head) {
	now, cookies := time.Now(), b.group.cookies
	session := routing.Session{Group: b.stick.group, Target: targetAt(b.at), Issued: now}
	if b.stick.app == "" {
		setTwins(r, routing.TargetCookie, routing.TargetCookieCORS, cookies.seal(targetKind, session), now)
		return
	}
	if !b.known && !sets(h, b.stick.app) {
		return
	}
	attributes := ""
	if agent, _ := r.Header("User-Agent"); routing.CrossSite(agent) {
		if _, cors := r.Header("Origin"); cors {
			attributes = "; SameSite=None; Secure"
		}
	}
	setCookie(r, routing.AppCookie+strconv.Itoa(b.slot), cookies.seal(appKind, session), now, attributes)
}

// targetAt is a target's address in cookies.
func targetAt(t model.Target) netip.AddrPort {
	ip, _ := netip.ParseAddr(t.IP)
	return netip.AddrPortFrom(ip.Unmap(), uint16(t.Port)) //nolint:gosec // checked when it was registered
}

// sets reports whether an answer sets a cookie.
func sets(h *exchange.Head, name string) bool {
	for i := range h.Fields {
		if f := &h.Fields[i]; strings.EqualFold(f.Name, "Set-Cookie") && routing.SetsCookie(f.Value, name) {
			return true
		}
	}
	return false
}

// setTwins sets a cookie in the two forms: browsers take the second from requests to
// another site.
func setTwins(r *exchange.Request, name, cors, value string, now time.Time) {
	setCookie(r, name, value, now, "")
	setCookie(r, cors, value, now, "; SameSite=None; Secure")
}

func setCookie(r *exchange.Request, name, value string, now time.Time, attributes string) {
	expires := now.Add(routing.CookieLife).UTC().Format(http.TimeFormat)
	r.SetAnswerHeader("Set-Cookie", name+"="+value+"; Expires="+expires+"; Path=/"+attributes)
}

// eachCookie calls yield with each cookie of a request until it returns false.
func eachCookie(r *exchange.Request, yield func(name, value string) bool) {
	more := true
	r.Headers(func(name, value string) bool {
		if len(name) == len("Cookie") && strings.EqualFold(name, "Cookie") {
			routing.Cookies(value, func(n, v string) bool {
				more = yield(n, v)
				return more
			})
		}
		return more
	})
}

// stay returns the target group of a rule that a client is bound to, and binds it
// from now on. The weight of a group that is to get nothing any more counts
// above the session.
func (to *route) stay(r *exchange.Request) *weightedGroup {
	now, left := time.Now(), maxUnseal
	var picked *weightedGroup
	eachCookie(r, func(name, value string) bool {
		if name != routing.GroupCookie && name != routing.GroupCookieCORS {
			return true
		}
		left--
		if s, ok := to.cookies.unseal(groupKind, value); ok {
			picked = to.bound(s, now)
		}
		return picked == nil && left > 0
	})
	if picked == nil {
		picked = to.pick()
	}
	if picked != nil {
		session := routing.Session{Group: groupNumber(picked.group.arn), Issued: now}
		setTwins(r, routing.GroupCookie, routing.GroupCookieCORS, to.cookies.seal(groupKind, session), now)
	}
	return picked
}

func (to *route) bound(s routing.Session, now time.Time) *weightedGroup {
	for _, w := range to.groups {
		if w.weight > 0 && s.Holds(groupNumber(w.group.arn), to.sticky, now) {
			return w
		}
	}
	return nil
}
