package model

import "strings"

// EventPattern returns the regular expression that the first line of an event
// matches, by the options awslogs-multiline-pattern and awslogs-datetime-format
// of awslogs; "": each line is an event. ok is false, with the name of the
// option, where both are set.
func (c LogConfig) EventPattern() (pattern, option string, ok bool) {
	const lines, times = "awslogs-multiline-pattern", "awslogs-datetime-format"
	if c.Driver != LogAWS {
		return "", "", true
	}
	if c.Options[lines] != "" && c.Options[times] != "" {
		return "", times, false
	}
	if format := c.Options[times]; format != "" {
		return timePattern(format), times, true
	}
	return c.Options[lines], lines, true
}

// timePattern translates a format of strftime(3) as Docker's driver does: what is
// not a conversion is a regular expression already, and a conversion that it does
// not know stands for nothing. [moby, daemon/logger/awslogs].
func timePattern(format string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(format, "%")
		out.WriteString(before)
		if !found || after == "" {
			return out.String()
		}
		out.WriteString(conversion(after[0]))
		format = after[1:]
	}
}

func conversion(of byte) string {
	switch of {
	case 'a':
		return `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)`
	case 'A':
		return `(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)`
	case 'b':
		return `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)`
	case 'B':
		return `(?:January|February|March|April|May|June|July|August|September|October|November|December)`
	case 'w':
		return `[0-6]`
	case 'd':
		return `(?:0[1-9]|[12][0-9]|3[01])`
	case 'm':
		return `(?:0[1-9]|1[0-2])`
	case 'Y':
		return `\d{4}`
	case 'y':
		return `\d{2}`
	case 'H':
		return `(?:[01][0-9]|2[0-3])`
	case 'I':
		return `(?:0[0-9]|1[0-2])`
	case 'p':
		return `[AP]M`
	case 'M', 'S':
		return `[0-5][0-9]`
	case 'f':
		return `\d{6}`
	case 'L':
		return `\.\d{3}`
	case 'z':
		return `[+-]\d{4}`
	case 'Z':
		return `[A-Z]{1,4}T`
	case 'j':
		return `(?:0[0-9][1-9]|[12][0-9][0-9]|3[0-5][0-9]|36[0-6])`
	case '%':
		return `%`
	}
	return ""
}
