package routing

import (
	"maps"
	"slices"
	"strings"
)

// prefixes finds which of many texts a path begins with. Sorted, those that begin
// alike are neighbours: the last one that is not after the path either begins
// it, or one of its own beginnings does, or none.
type prefixes struct {
	texts   []string // sorted
	parents []int    // the longest other text that a text begins with, or -1
	rules   [][]int
}

func newPrefixes(rules map[string][]int) prefixes {
	p := prefixes{texts: slices.Sorted(maps.Keys(rules))}
	for i, t := range p.texts {
		parent := i - 1
		for parent >= 0 && !strings.HasPrefix(t, p.texts[parent]) {
			parent = p.parents[parent]
		}
		p.parents = append(p.parents, parent)
		p.rules = append(p.rules, rules[t])
	}
	return p
}

// find returns the longest text that path begins with, or -1. Its parents are all
// the others.
func (p *prefixes) find(path string) int {
	at, exact := slices.BinarySearch(p.texts, path)
	if !exact {
		at--
	}
	for at >= 0 && !strings.HasPrefix(path, p.texts[at]) {
		at = p.parents[at]
	}
	return at
}
