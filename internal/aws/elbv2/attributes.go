package elbv2

import (
	"maps"
	"slices"
	"strconv"
)

// attribute is one attribute of a load balancer, target group or listener.
type attribute struct {
	key     string
	initial string
	allows  func(value string) bool
	only    string // why other values of AWS's are refused; "" if all are taken
	idle    string // why it has no effect; "" if it has one
	ours    bool   // no attribute of AWS's: shown where it was set, so that no client finds one it does not know
}

// defaults returns every attribute of a table at its first value.
func defaults(table []attribute) map[string]string {
	out := make(map[string]string, len(table))
	for _, a := range table {
		if !a.ours {
			out[a.key] = a.initial
		}
	}
	return out
}

// pair is one attribute of a request.
type pair struct{ key, value string }

// changed checks pairs against a table and returns current with them in it.
// kind is what the attributes are of: "Load balancer".
func changed(kind string, table []attribute, current map[string]string, pairs []pair) (map[string]string, error) {
	out := maps.Clone(current)
	if out == nil {
		out = map[string]string{}
	}
	seen := map[string]bool{}
	for _, p := range pairs {
		i := slices.IndexFunc(table, func(a attribute) bool { return a.key == p.key })
		switch {
		case i < 0:
			return nil, invalid("%s attribute key '%s' is not recognized", kind, p.key)
		case seen[p.key]:
			return nil, invalid("%s attribute key '%s' cannot be specified more than once", kind, p.key)
		case !table[i].allows(p.value) && table[i].only != "":
			return nil, notHere("%s attribute '%s' cannot be '%s' here: %s", kind, p.key, p.value, table[i].only)
		case !table[i].allows(p.value):
			return nil, invalid("%s attribute value '%s' is not valid for key '%s'", kind, p.value, p.key)
		}
		seen[p.key], out[p.key] = true, p.value
	}
	return out, nil
}

// inOrder returns a table's attributes with their current values; records of an
// older version may lack some.
func inOrder[T any](table []attribute, current map[string]string, show func(key, value string) T) []T {
	out := make([]T, 0, len(table))
	for _, a := range table {
		v, ok := current[a.key]
		switch {
		case !ok && a.ours:
			continue
		case !ok:
			v = a.initial
		}
		out = append(out, show(a.key, v))
	}
	return out
}

func boolean(v string) bool { return v == "true" || v == "false" }
func anything(string) bool  { return true }

func oneOf(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

func within(low, high int) func(string) bool {
	return func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && low <= n && n <= high
	}
}

func withinOrOff(low, high int) func(string) bool {
	in := within(low, high)
	return func(v string) bool { return v == "off" || in(v) }
}

// AttributeNote is an attribute that is not obeyed in full, and why.
type AttributeNote struct {
	Of, Key string
	Refused bool // else it is kept without effect
	Why     string
}

// AttributeNotes returns the attributes of load balancers, listeners and target
// groups that are refused but for their first value, or kept without effect.
func AttributeNotes() []AttributeNote {
	var out []AttributeNote
	note := func(of string, table []attribute) {
		for _, a := range table {
			switch {
			case a.only != "":
				out = append(out, AttributeNote{of, a.key, true, a.only})
			case a.idle != "":
				out = append(out, AttributeNote{of, a.key, false, a.idle})
			}
		}
	}
	note("load balancer", loadBalancerAttributes())
	note("listener", listenerAttributes("HTTPS"))
	note("target group", targetGroupAttributes())
	return out
}
