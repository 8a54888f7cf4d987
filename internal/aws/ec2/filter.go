package ec2

import (
	"slices"
	"strings"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
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

// checkIDs wants every id that was asked for to be among those that exist.
func checkIDs(asked, have []string, code, format string) error {
	for _, id := range asked {
		if !slices.Contains(have, id) {
			return notFound(code, format, id)
		}
	}
	return nil
}

// asked says whether a resource is one of ids, which when empty means any.
func asked(ids []string, id string) bool { return len(ids) == 0 || slices.Contains(ids, id) }
