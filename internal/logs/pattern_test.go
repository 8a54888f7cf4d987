package logs

import (
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	for _, row := range []struct {
		name, pattern, message string
		want                   bool
	}{
		{"empty matches all", "", "anything", true},
		{"a term", "ERROR", "an ERROR here", true},
		{"a term by case", "error", "an ERROR here", false},
		{"all terms", "ERROR here", "here is an ERROR", true},
		{"not all terms", "ERROR there", "here is an ERROR", false},
		{"a phrase", `"is an"`, "here is an ERROR", true},
		{"a phrase in another order", `"an is"`, "here is an ERROR", false},
		{"a phrase with a quote", `"say \"no\""`, `they say "no"`, true},
		{"an excluded term", "ERROR -here", "here is an ERROR", false},
		{"only an excluded term", "-there", "here is an ERROR", true},
		{"an excluded phrase", `-"is an"`, "here is an ERROR", false},
		{"one of two", "?WARN ?ERROR", "an ERROR", true},
		{"none of two", "?WARN ?INFO", "an ERROR", false},
		{"alternatives beside a term do not count", "?WARN an", "an ERROR", true},
		{"a sign within a term", "a-b?", "a-b?", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := parsePattern(row.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.matches(row.message); got != row.want {
				t.Errorf("%q matches %q = %v, want %v", row.pattern, row.message, got, row.want)
			}
		})
	}
	for _, bad := range []string{`{ $.level = "x" }`, "[ip, user]", "%[0-9]%", `"open`, `""`, "-", "?", "a - b", strings.Repeat("x", 1025)} {
		if _, err := parsePattern(bad); code(err) != "InvalidParameterException" {
			t.Errorf("pattern %q: %v, want it refused", bad, err)
		}
	}
}
