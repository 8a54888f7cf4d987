package model_test

import (
	"regexp"
	"testing"

	"neargate/internal/model"
)

// Formats and lines of the documentation of Docker's awslogs driver.
func TestEventPattern(t *testing.T) {
	for _, row := range []struct {
		format, line string
		want         bool
	}{
		{`\[%b %d, %Y %H:%M:%S\]`, "[May 01, 2017 19:00:04] A message", true},
		{`\[%b %d, %Y %H:%M:%S\]`, "  at line 3", false},
		{"%Y-%m-%dT%H:%M:%S%L", "2026-11-28T07:00:59.123 x", true},
		{"%Y-%m-%dT%H:%M:%S%L", "2026-13-28T07:00:59.123 x", false},
		{"%I:%M %p", "07:30 AM", true},
		{"%a %j %%", "Mon 011 %", true},
		{"%", "", true},
	} {
		c := model.LogConfig{Driver: model.LogAWS, Options: map[string]string{"awslogs-datetime-format": row.format}}
		pattern, _, ok := c.EventPattern()
		if got := regexp.MustCompile(pattern).MatchString(row.line); got != row.want || !ok {
			t.Errorf("%s is %s, which matches %q: %t", row.format, pattern, row.line, got)
		}
	}
	c := model.LogConfig{Driver: model.LogAWS, Options: map[string]string{"awslogs-datetime-format": "%Y", "awslogs-multiline-pattern": "x"}}
	if _, _, ok := c.EventPattern(); ok {
		t.Error("both options are taken")
	}
}
