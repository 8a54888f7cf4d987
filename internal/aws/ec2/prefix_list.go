package ec2

import (
	"context"

	"neargate/internal/vpc"
)

// prefixListOf returns the ID of the prefix list of a gateway endpoint's service.
func (s *service) prefixListOf(service string) string {
	for _, l := range s.n.PrefixLists() {
		if l.Name == service {
			return l.ID
		}
	}
	return ""
}

type describePrefixListsInput struct {
	PrefixListIDs []string `query:"PrefixListId"`
	Filters       []filter `query:"Filter"`
	MaxResults    *int
	NextToken     string
	DryRun        bool
}

type describePrefixListsOutput struct {
	PrefixLists []prefixListOut `xml:"prefixListSet"`
	NextToken   string
}

type prefixListOut struct {
	PrefixListID, PrefixListName string

	Cidrs []string `xml:"cidrSet"`
}

// describePrefixLists: AWS's lists, whose networks are not here. Codes
// InvalidPrefixListID.NotFound, InvalidParameterValue, InvalidNextToken.
func (s *service) describePrefixLists(_ context.Context, in *describePrefixListsInput) (*describePrefixListsOutput, error) {
	cut, next, err := s.prefixLists(query{in.PrefixListIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describePrefixListsOutput{NextToken: next}
	for _, l := range cut {
		out.PrefixLists = append(out.PrefixLists, prefixListOut{PrefixListID: l.ID, PrefixListName: l.Name})
	}
	return out, nil
}

func (s *service) prefixLists(q query) ([]vpc.PrefixList, string, error) {
	return list(s, s.n.PrefixLists(), lister[vpc.PrefixList]{
		kind: vpc.KindPrefixList, id: func(l vpc.PrefixList) string { return l.ID }, attributes: func(l vpc.PrefixList) attributes {
			return attributes{"prefix-list-id": {l.ID}, "prefix-list-name": {l.Name}, "owner-id": {"AWS"}}
		},
	}, q)
}

type managedPrefixListsOutput struct {
	PrefixLists []managedPrefixList `xml:"prefixListSet"`
	NextToken   string
}

type managedPrefixList struct {
	PrefixListID, PrefixListName, PrefixListArn, OwnerID, AddressFamily, State string

	Tags []tag `xml:"tagSet"`
}

// describeManagedPrefixLists: codes InvalidPrefixListID.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeManagedPrefixLists(_ context.Context, in *describePrefixListsInput) (*managedPrefixListsOutput, error) {
	cut, next, err := s.prefixLists(query{in.PrefixListIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &managedPrefixListsOutput{NextToken: next}
	for _, l := range cut {
		out.PrefixLists = append(out.PrefixLists, managedPrefixList{
			PrefixListID: l.ID, PrefixListName: l.Name, OwnerID: "AWS", AddressFamily: "IPv4", State: "create-complete",
			PrefixListArn: "arn:aws:ec2:" + s.n.Place().Region + ":aws:prefix-list/" + l.ID,
		})
	}
	return out, nil
}

type getManagedPrefixListEntriesInput struct {
	PrefixListID string
	DryRun       bool
}

type getManagedPrefixListEntriesOutput struct {
	Entries []string `xml:"entrySet"`
}

// getManagedPrefixListEntries: there are none. Codes MissingParameter,
// InvalidPrefixListID.NotFound.
func (s *service) getManagedPrefixListEntries(_ context.Context, in *getManagedPrefixListEntriesInput) (*getManagedPrefixListEntriesOutput, error) {
	if err := required("prefixListId", in.PrefixListID); err != nil {
		return nil, err
	}
	return &getManagedPrefixListEntriesOutput{}, s.n.CheckPrefixList(in.PrefixListID)
}
