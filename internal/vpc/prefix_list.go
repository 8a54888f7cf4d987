package vpc

import (
	"slices"
	"strings"
)

// PrefixList is a list of AWS's own networks, which are not here: it has a name,
// and allows nothing where a rule names it.
type PrefixList struct {
	ID, Name string
}

// PrefixLists returns AWS's prefix lists that security groups and routes name.
func (n *Networks) PrefixLists() []PrefixList {
	var out []PrefixList
	for _, name := range []string{
		"com.amazonaws." + n.cfg.Place.Region + ".dynamodb", "com.amazonaws." + n.cfg.Place.Region + ".s3",
		"com.amazonaws.global.cloudfront.origin-facing",
	} {
		id := n.home.id("pl", name)
		out = append(out, PrefixList{id[:strings.Index(id, "-")+9], name}) // AWS's have 8 digits
	}
	slices.SortFunc(out, func(a, b PrefixList) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// CheckPrefixList wants a prefix list to exist. Errors:
// InvalidPrefixListID.NotFound.
func (n *Networks) CheckPrefixList(id string) error {
	if slices.ContainsFunc(n.PrefixLists(), func(l PrefixList) bool { return l.ID == id }) {
		return nil
	}
	return KindPrefixList.Missing(id)
}
