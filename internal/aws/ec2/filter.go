package ec2

import (
	"slices"
	"strings"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/vpc"
)

// filter is one of a request's filters: any of its values must match.
type filter struct {
	Name   string
	Values []string `query:"Value"`
}

// attributes are a resource's values by filter name, its tags aside.
type attributes map[string][]string

// matches says whether a resource passes all filters. A name that the resource
// does not have is refused, as AWS does.
func matches(filters []filter, a attributes, tags []model.Tag) (bool, error) {
	pass := true
	for _, f := range filters {
		have, err := values(f.Name, a, tags)
		if err != nil {
			return false, err
		}
		pass = pass && slices.ContainsFunc(f.Values, func(want string) bool {
			return slices.ContainsFunc(have, func(h string) bool { return wildcard(want, h) })
		})
	}
	return pass, nil
}

func values(name string, a attributes, tags []model.Tag) ([]string, error) {
	if have, ok := a[name]; ok {
		return have, nil
	}
	key, byKey := strings.CutPrefix(name, "tag:")
	if !byKey && name != "tag-key" {
		return nil, invalid("The filter '%.80s' is invalid", name)
	}
	var have []string
	for _, t := range tags {
		switch {
		case !byKey:
			have = append(have, t.Key)
		case t.Key == key:
			have = append(have, t.Value)
		}
	}
	return have, nil
}

// wildcard matches text against a pattern with * and ?, in time linear in the
// product of their lengths.
func wildcard(pattern, text string) bool {
	star, mark, p, i := -1, 0, 0, 0
	for i < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// query is what callers may ask of a list of resources.
type query struct {
	ids        []string
	filters    []filter
	token      string
	maxResults *int
}

// lister is how resources of a kind are listed.
type lister[T any] struct {
	kind       vpc.Kind
	id         func(T) string
	attributes func(T) attributes
	order      func(T) string // by which pages are cut; nil is by ID
}

// list returns the resources that a query asks for, and the token of the next
// page. Errors: the kind's NotFound code, InvalidParameterValue,
// InvalidNextToken.
func list[T any](s *service, all []T, of lister[T], q query) (cut []T, next string, err error) {
	for _, id := range q.ids {
		if !slices.ContainsFunc(all, func(v T) bool { return of.id(v) == id }) {
			return nil, "", of.kind.Missing(id)
		}
	}
	var none T
	if _, err := matches(q.filters, of.attributes(none), nil); err != nil { // also when there is none
		return nil, "", err
	}
	var found []T
	for _, v := range all {
		id := of.id(v)
		if ok, _ := matches(q.filters, of.attributes(v), s.n.Tags(id)); ok && asked(q.ids, id) {
			found = append(found, v)
		}
	}
	order := of.order
	if order == nil {
		order = of.id
	}
	return page(found, order, q.token, q.maxResults)
}

// page cuts a page out of items, which are sorted by key; without maxResults
// all follow. Errors: InvalidParameterValue, InvalidNextToken.
func page[T any](items []T, key func(T) string, token string, maxResults *int) ([]T, string, error) {
	limit := 0
	if maxResults != nil {
		if limit = *maxResults; limit < 5 || limit > 1000 {
			return nil, "", invalid("Value ( %d ) for parameter maxResults is invalid. Expecting a value from 5 to 1000.", limit)
		}
	}
	cut, next, ok := wire.Page(items, key, token, limit)
	if !ok {
		return nil, "", model.Errorf(model.Invalid, "InvalidNextToken", "The token '%.80s' is invalid", token)
	}
	return cut, next, nil
}

// asked says whether a resource is one of ids, which when empty means any.
func asked(ids []string, id string) bool { return len(ids) == 0 || slices.Contains(ids, id) }
