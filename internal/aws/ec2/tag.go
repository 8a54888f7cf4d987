package ec2

import (
	"context"
	"slices"
	"strings"

	"neargate/internal/model"
	"neargate/internal/vpc"
)

// tag is a tag on the wire. Value is a pointer, as an empty one is told too;
// DeleteTags without it removes any value.
type tag struct {
	Key   string
	Value *string
}

const maxTags = 50

func tagsOut(tags []model.Tag) []tag {
	var out []tag
	for _, t := range tags {
		out = append(out, tag{t.Key, &t.Value})
	}
	return out
}

type createTagsInput struct {
	Resources []string `query:"ResourceId"`
	Tags      []tag    `query:"Tag"`
	DryRun    bool
}

// createTags adds or changes tags of several resources. Errors:
// MissingParameter, InvalidID, the resources' NotFound codes,
// InvalidParameterValue, TagLimitExceeded.
func (s *service) createTags(ctx context.Context, in *createTagsInput) (*done, error) {
	switch {
	case len(in.Resources) == 0:
		return nil, missing("resourceIdSet")
	case len(in.Tags) == 0:
		return nil, missing("tagSet")
	}
	return finish(s.n.ChangeTags(ctx, in.Resources, func(have []model.Tag) ([]model.Tag, error) { return mergeTags(have, in.Tags) }))
}

func mergeTags(have []model.Tag, more []tag) ([]model.Tag, error) {
	out := slices.Clone(have)
	for _, t := range more {
		value := ""
		if t.Value != nil {
			value = *t.Value
		}
		switch {
		case t.Key == "" || len(t.Key) > 127:
			return nil, invalid("Tag key exceeds the maximum length of 127 characters, or is empty")
		case len(value) > 255:
			return nil, invalid("Tag value exceeds the maximum length of 255 characters")
		case strings.HasPrefix(t.Key, "aws:"):
			return nil, invalid("Tag keys starting with 'aws:' are reserved for internal use")
		}
		out = slices.DeleteFunc(out, func(o model.Tag) bool { return o.Key == t.Key })
		out = append(out, model.Tag{Key: t.Key, Value: value})
	}
	if len(out) > maxTags {
		return nil, model.Errorf(model.Throttled, "TagLimitExceeded", "More than %d tags specified", maxTags)
	}
	slices.SortFunc(out, func(a, b model.Tag) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// deleteTags removes tags by key, or by key and value; without any, all.
// Errors: MissingParameter, InvalidID, the resources' NotFound codes.
func (s *service) deleteTags(ctx context.Context, in *createTagsInput) (*done, error) {
	if len(in.Resources) == 0 {
		return nil, missing("resourceIdSet")
	}
	return finish(s.n.ChangeTags(ctx, in.Resources, func(have []model.Tag) ([]model.Tag, error) {
		return slices.DeleteFunc(slices.Clone(have), func(h model.Tag) bool {
			return len(in.Tags) == 0 || slices.ContainsFunc(in.Tags, func(t tag) bool {
				return t.Key == h.Key && (t.Value == nil || *t.Value == h.Value)
			})
		}), nil
	}))
}

// tagSpecification is how a resource is given tags when it is made.
type tagSpecification struct {
	ResourceType string
	Tags         []tag `query:"Tag"`
}

// specified returns the tags for a resource of a kind. Errors:
// InvalidParameterValue, TagLimitExceeded.
func specified(specs []tagSpecification, kind vpc.Kind) ([]model.Tag, error) {
	var tags []tag
	for _, spec := range specs {
		if spec.ResourceType != string(kind) {
			return nil, invalid("'%.80s' is not a valid taggable resource type for this operation.", spec.ResourceType)
		}
		tags = append(tags, spec.Tags...)
	}
	return mergeTags(nil, tags)
}

type describeTagsInput struct {
	Filters    []filter `query:"Filter"`
	MaxResults *int
	NextToken  string
	DryRun     bool
}

type describeTagsOutput struct {
	Tags      []tagDescription `xml:"tagSet"`
	NextToken string
}

type tagDescription struct {
	ResourceID, ResourceType, Key string

	Value *string
}

// describeTags lists tags by resource. Errors: InvalidParameterValue,
// InvalidNextToken.
func (s *service) describeTags(_ context.Context, in *describeTagsInput) (*describeTagsOutput, error) {
	if _, err := matches(in.Filters, tagAttributes(vpc.Tagged{}, model.Tag{}), nil); err != nil { // also when there is none
		return nil, err
	}
	var found []tagDescription
	for _, t := range s.n.AllTags() {
		kind := string(vpc.KindOf(t.ID))
		for _, tag := range t.Tags {
			if ok, _ := matches(in.Filters, tagAttributes(t, tag), t.Tags); ok {
				found = append(found, tagDescription{t.ID, kind, tag.Key, &tag.Value})
			}
		}
	}
	cut, next, err := page(found, func(t tagDescription) string { return t.ResourceID + "\x00" + t.Key }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &describeTagsOutput{Tags: cut, NextToken: next}, nil
}

func tagAttributes(t vpc.Tagged, tag model.Tag) attributes {
	kind := string(vpc.KindOf(t.ID))
	return attributes{"resource-id": {t.ID}, "resource-type": {kind}, "key": {tag.Key}, "value": {tag.Value}}
}
