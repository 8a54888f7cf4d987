package authentication

import (
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
)

// Claims are what a token says, as JSON is decoded: numbers are float64.
type Claims map[string]any

// Leeway is how far the clock of an issuer may be ahead.
const Leeway = 5 * time.Second

// Check judges the claims of a token whose signature is right: its issuer, its time
// and what the action wants beside. Where an action names several values of a
// claim, the token must have all of them.
func Check(c Claims, want *model.JWTValidation, now time.Time) Reason {
	iss, found := c["iss"]
	switch name, isText := iss.(string); {
	case !found:
		return ClaimAbsent
	case !isText:
		return ClaimMalformed
	case name != want.Issuer:
		return ClaimWrong
	}
	if reason := c.inTime(now); reason != "" {
		return reason
	}
	for i := range want.Claims {
		if reason := c.has(&want.Claims[i]); reason != "" {
			return reason
		}
	}
	return ""
}

// inTime judges exp, which must be there, nbf and iat.
func (c Claims) inTime(now time.Time) Reason {
	exp, found, valid := c.moment("exp")
	switch {
	case !found:
		return ClaimAbsent
	case !valid:
		return ClaimMalformed
	case !now.Before(exp):
		return ClaimWrong
	}
	for _, name := range []string{"nbf", "iat"} {
		at, found, valid := c.moment(name)
		switch {
		case found && !valid:
			return ClaimMalformed
		case found && now.Add(Leeway).Before(at):
			return ClaimWrong
		}
	}
	return ""
}

// moment returns the time that a claim names in seconds since 1970.
func (c Claims) moment(name string) (at time.Time, found, valid bool) {
	v, found := c[name]
	seconds, isNumber := v.(float64)
	if !isNumber || seconds < 0 || seconds > 1<<40 {
		return at, found, false
	}
	return time.UnixMilli(int64(seconds * 1000)), found, true
}

// has judges one more claim.
func (c Claims) has(want *model.JWTClaim) Reason {
	v, found := c[want.Name]
	if !found {
		return ClaimAbsent
	}
	var have []string
	text, isText := v.(string)
	switch {
	case want.Format == "string-array":
		list, isList := v.([]any)
		if !isList {
			return ClaimMalformed
		}
		for _, e := range list {
			s, isText := e.(string)
			if !isText {
				return ClaimMalformed
			}
			have = append(have, s)
		}
	case !isText:
		return ClaimMalformed
	case want.Format == "space-separated-values":
		have = strings.Fields(text)
	default:
		have = []string{text}
	}
	for _, value := range want.Values {
		if !slices.Contains(have, value) {
			return ClaimWrong
		}
	}
	return ""
}
