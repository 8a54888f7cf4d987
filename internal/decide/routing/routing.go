// Package routing decides where a request goes: which rule of a listener
// matches it, what the rule makes of its host and URL, which target group of a
// weighted action takes it, which targets of the group may serve, and which of
// those it is sent to, by turns, loads, weights or the client's session.
//
// It is pure, and what runs for each request allocates nothing. Rules are
// compiled once, when a listener changes; loads are read through a function, so
// that the balancer's counters need no copy.
package routing

import "neargate/internal/model"

// Request is what rules look at.
type Request struct {
	Method string
	Host   string // as sent, may have a port
	Path   string // as sent, undecoded, without query
	Query  string // as sent, without "?"
	Source [16]byte
	Header Header // asked only by rules with an http-header condition
}

// Header is a request's header.
type Header interface {
	// Each calls fn with each value of the named field, in order, until fn
	// gives false. The case of name does not matter.
	Each(name string, fn func(value string) bool)
}

// Prefix is a block of addresses, IPv4 in its IPv6-mapped form.
type Prefix struct {
	Addr [16]byte
	Bits int // of Addr, 0 to 128
}

// Table is the compiled rules of one listener. It is immutable.
type Table struct {
	rules []rule
	index index
}

type rule struct {
	conditions []condition
}

// Compile creates a table of rules, which must be in the order in which they are
// to be tried, the default rule last. parse reads a CIDR block of a source-ip
// condition; a block that it refuses matches nothing.
func Compile(rules []model.Rule, parse func(cidr string) (Prefix, bool)) *Table {
	t := &Table{rules: make([]rule, len(rules))}
	for i, r := range rules {
		for _, c := range r.Conditions {
			t.rules[i].conditions = append(t.rules[i].conditions, compile(c, parse))
		}
	}
	t.index = newIndex(t.rules)
	return t
}

// Match returns the index of the first rule whose conditions all hold, -1 when
// there is none; a default rule has no conditions and always holds.
func (t *Table) Match(req *Request) int {
	i := t.index.first(t.rules, req)
	if i == len(t.rules) {
		return -1
	}
	return i
}

// Evaluations returns how many rules ELB looks at to find the one that Match
// found: all up to it, without the default rule, which is the last
// (load-balancer-cloudwatch-metrics, RuleEvaluations).
func (t *Table) Evaluations(match int) int {
	return min(match+1, len(t.rules)-1)
}

func (r *rule) holds(req *Request) bool {
	for i := range r.conditions {
		if !r.conditions[i].holds(req) {
			return false
		}
	}
	return true
}
