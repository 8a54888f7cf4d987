package wire

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"neargate/internal/model"
)

// Checks collects what is wrong with an input, in the words of AWS's own input
// validation: "1 validation error detected: Value null at 'roleName' failed to
// satisfy constraint: Member must not be null". The zero value is ready; use
// one for each request.
type Checks struct {
	found []string
}

// Fail notes that the value at a member breaks a constraint. shown is the value
// as AWS shows it: 'text' in quotes, or null.
func (c *Checks) Fail(member, shown, constraint string, args ...any) {
	c.found = append(c.found, "Value "+shown+" at '"+member+"' failed to satisfy constraint: "+fmt.Sprintf(constraint, args...))
}

// Required wants the member to be set.
func (c *Checks) Required(member string, set bool) {
	if !set {
		c.Fail(member, "null", "Member must not be null")
	}
}

// Text wants a member to be set and to have a length from low to high
// characters; it returns its value.
func (c *Checks) Text(member string, v *string, low, high int) string {
	if v == nil {
		c.Required(member, false)
		return ""
	}
	return c.OptionalText(member, v, low, high)
}

// OptionalText is Text for a member that may be missing.
func (c *Checks) OptionalText(member string, v *string, low, high int) string {
	if v == nil {
		return ""
	}
	switch n := utf8.RuneCountInString(*v); {
	case n < low:
		c.Fail(member, quoted(*v), "Member must have length greater than or equal to %d", low)
	case n > high:
		c.Fail(member, quoted(*v), "Member must have length less than or equal to %d", high)
	}
	return *v
}

// Range wants a number from low to high when it is set, and returns it, else
// fallback.
func (c *Checks) Range(member string, v *int32, low, high, fallback int32) int32 {
	if v == nil {
		return fallback
	}
	shown := fmt.Sprintf("'%d'", *v)
	if *v < low {
		c.Fail(member, shown, "Member must have value greater than or equal to %d", low)
	}
	if *v > high {
		c.Fail(member, shown, "Member must have value less than or equal to %d", high)
	}
	return *v
}

// OneOf wants a member to be one of an enum's values, or empty.
func (c *Checks) OneOf(member, v string, values ...string) {
	if v != "" && !slices.Contains(values, v) {
		c.Fail(member, quoted(v), "Member must satisfy enum value set: [%s]", strings.Join(values, ", "))
	}
}

// Err returns one error, of Kind Invalid, for all that was found; nil when all is
// well. Query services use the code ValidationError, JSON's ValidationException.
func (c *Checks) Err(code string) error {
	switch len(c.found) {
	case 0:
		return nil
	case 1:
		return model.Errorf(model.Invalid, code, "1 validation error detected: %s", c.found[0])
	default:
		return model.Errorf(model.Invalid, code, "%d validation errors detected: %s", len(c.found), strings.Join(c.found, "; "))
	}
}

// quoted shows a value, not more of it than helps.
func quoted(s string) string {
	const most = 256
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return "'" + s + "'"
}
