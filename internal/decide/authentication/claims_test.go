package authentication_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/decide/authentication"
	"neargate/internal/model"
)

const now = 1_800_000_000

// claims are good ones, with some replaced; nil removes one.
func claims(changes authentication.Claims) authentication.Claims {
	c := authentication.Claims{"iss": "https://id.test", "exp": float64(now + 60), "sub": "ann"}
	for name, v := range changes {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

func TestCheck(t *testing.T) {
	type changes = authentication.Claims
	one := func(format string, values ...string) []model.JWTClaim {
		return []model.JWTClaim{{Format: format, Name: "c", Values: values}}
	}
	for name, tc := range map[string]struct {
		changes changes
		want    []model.JWTClaim
		reason  authentication.Reason
	}{
		"good":                     {},
		"no issuer":                {changes: changes{"iss": nil}, reason: authentication.ClaimAbsent},
		"another issuer":           {changes: changes{"iss": "https://id.test/"}, reason: authentication.ClaimWrong},
		"an issuer as a list":      {changes: changes{"iss": []any{"https://id.test"}}, reason: authentication.ClaimMalformed},
		"no end":                   {changes: changes{"exp": nil}, reason: authentication.ClaimAbsent},
		"an end as text":           {changes: changes{"exp": "1900000000"}, reason: authentication.ClaimMalformed},
		"ended now":                {changes: changes{"exp": float64(now)}, reason: authentication.ClaimWrong},
		"ends without end":         {changes: changes{"exp": 1e300}, reason: authentication.ClaimMalformed},
		"not yet":                  {changes: changes{"nbf": float64(now + 60)}, reason: authentication.ClaimWrong},
		"not yet, but nearly":      {changes: changes{"nbf": float64(now + 4)}},
		"not before as text":       {changes: changes{"nbf": "0"}, reason: authentication.ClaimMalformed},
		"issued later":             {changes: changes{"iat": float64(now + 60)}, reason: authentication.ClaimWrong},
		"issued before":            {changes: changes{"iat": float64(now - 60)}},
		"single":                   {changes: changes{"c": "a"}, want: one("single-string", "a")},
		"another single":           {changes: changes{"c": "ab"}, want: one("single-string", "a"), reason: authentication.ClaimWrong},
		"a single that is a list":  {changes: changes{"c": []any{"a"}}, want: one("single-string", "a"), reason: authentication.ClaimMalformed},
		"no such claim":            {want: one("single-string", "a"), reason: authentication.ClaimAbsent},
		"in a list":                {changes: changes{"c": []any{"a", "b", "c"}}, want: one("string-array", "c", "a")},
		"not all in a list":        {changes: changes{"c": []any{"a", "b"}}, want: one("string-array", "a", "c"), reason: authentication.ClaimWrong},
		"a list that is text":      {changes: changes{"c": "a"}, want: one("string-array", "a"), reason: authentication.ClaimMalformed},
		"a list with a number":     {changes: changes{"c": []any{"a", 1.0}}, want: one("string-array", "a"), reason: authentication.ClaimMalformed},
		"among words":              {changes: changes{"c": "read write"}, want: one("space-separated-values", "write")},
		"part of a word":           {changes: changes{"c": "readwrite"}, want: one("space-separated-values", "write"), reason: authentication.ClaimWrong},
		"words that are a boolean": {changes: changes{"c": true}, want: one("space-separated-values", "true"), reason: authentication.ClaimMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			want := &model.JWTValidation{Issuer: "https://id.test", Claims: tc.want}
			if got := authentication.Check(claims(tc.changes), want, time.Unix(now, 0)); got != tc.reason {
				t.Errorf("got %q, want %q", got, tc.reason)
			}
		})
	}
}

// TestNoTimeButItsOwn has a token let in from its beginning to its end only.
func TestNoTimeButItsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begin := rapid.Int64Range(0, 4_000_000_000).Draw(t, "nbf")
		end := rapid.Int64Range(0, 4_000_000_000).Draw(t, "exp")
		at := rapid.Int64Range(0, 4_000_000_000).Draw(t, "now")
		c := claims(authentication.Claims{"nbf": float64(begin), "exp": float64(end)})
		got := authentication.Check(c, &model.JWTValidation{Issuer: "https://id.test"}, time.Unix(at, 0))
		within := at >= begin-int64(authentication.Leeway/time.Second) && at < end
		if (got == "") != within {
			t.Errorf("from %d to %d at %d: got %q", begin, end, at, got)
		}
	})
}
