package ec2

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"neargate/internal/model"
)

// tagged is a resource's tags, by its id.
type tagged struct {
	ID   string
	Tags []model.Tag // sorted by key
}

// tag is a tag on the wire. Value is a pointer, as an empty one is told too;
// DeleteTags without it removes any value.
type tag struct {
	Key   string
	Value *string
}

const maxTags = 50

func (s *EC2) tagsOf(id string) []model.Tag {
	t, _ := s.tags.Get(id)
	return t.Tags
}

func tagsOut(tags []model.Tag) []tag {
	var out []tag
	for _, t := range tags {
		out = append(out, tag{t.Key, &t.Value})
	}
	return out
}

// kindOf gives the resource type of an id, in tags and ARNs.
func kindOf(id string) (string, bool) {
	prefix, _, _ := strings.Cut(id, "-")
	kind, ok := map[string]string{
		"vpc": "vpc", "subnet": "subnet", "sg": "security-group", "sgr": "security-group-rule",
		"igw": "internet-gateway", "rtb": "route-table", "eni": "network-interface",
	}[prefix]
	return kind, ok
}

// checkResource wants a resource to exist.
func (s *EC2) checkResource(id string) error {
	kind, ok := kindOf(id)
	if !ok {
		return model.Errorf(model.Invalid, "InvalidID", "The ID '%.80s' is not valid", id)
	}
	switch kind {
	case "vpc":
		return s.checkVPC(id)
	case "subnet":
		return checkIDs([]string{id}, s.SubnetIDs(), "InvalidSubnetID.NotFound", "The subnet ID '%.80s' does not exist")
	case "internet-gateway":
		return checkIDs([]string{id}, []string{s.net.gatewayID}, "InvalidInternetGatewayID.NotFound", "The internetGateway ID '%.80s' does not exist")
	case "route-table":
		return checkIDs([]string{id}, []string{s.net.routeTableID}, "InvalidRouteTableID.NotFound", "The routeTable ID '%.80s' does not exist")
	case "security-group":
		_, err := s.findGroup(id)
		return err
	case "security-group-rule":
		return s.checkRule(id)
	default:
		if slices.ContainsFunc(s.networkInterfaces(), func(n Interface) bool { return n.ID == id }) {
			return nil
		}
		return notFound("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%.80s' does not exist", id)
	}
}

type createTagsInput struct {
	Resources []string `query:"ResourceId"`
	Tags      []tag    `query:"Tag"`
	DryRun    bool
}

// createTags adds or changes tags of several resources. Errors:
// MissingParameter, InvalidID, the resources' NotFound codes,
// InvalidParameterValue, TagLimitExceeded.
func (s *EC2) createTags(ctx context.Context, in *createTagsInput) (*done, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(in.Resources) == 0:
		return nil, missing("resourceIdSet")
	case len(in.Tags) == 0:
		return nil, missing("tagSet")
	}
	merged := make([]tagged, len(in.Resources))
	for i, id := range in.Resources {
		if err := s.checkResource(id); err != nil {
			return nil, err
		}
		tags, err := mergeTags(s.tagsOf(id), in.Tags)
		if err != nil {
			return nil, err
		}
		merged[i] = tagged{id, tags}
	}
	for _, t := range merged {
		if err := s.tags.Put(ctx, t.ID, t); err != nil {
			return nil, fmt.Errorf("keep tags of %s: %w", t.ID, err)
		}
	}
	return &done{true}, nil
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
func (s *EC2) deleteTags(ctx context.Context, in *createTagsInput) (*done, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(in.Resources) == 0 {
		return nil, missing("resourceIdSet")
	}
	for _, id := range in.Resources {
		if err := s.checkResource(id); err != nil {
			return nil, err
		}
	}
	for _, id := range in.Resources {
		left := slices.DeleteFunc(slices.Clone(s.tagsOf(id)), func(have model.Tag) bool {
			return len(in.Tags) == 0 || slices.ContainsFunc(in.Tags, func(t tag) bool {
				return t.Key == have.Key && (t.Value == nil || *t.Value == have.Value)
			})
		})
		if err := s.putTags(ctx, id, left); err != nil {
			return nil, err
		}
	}
	return &done{true}, nil
}

// putTags keeps a resource's tags; none at all takes no room.
func (s *EC2) putTags(ctx context.Context, id string, tags []model.Tag) error {
	var err error
	if len(tags) == 0 {
		_, err = s.tags.Delete(ctx, id)
	} else {
		err = s.tags.Put(ctx, id, tagged{id, tags})
	}
	if err != nil {
		return fmt.Errorf("keep tags of %s: %w", id, err)
	}
	return nil
}

// tagSpecification is how a resource is given tags when it is made.
type tagSpecification struct {
	ResourceType string
	Tags         []tag `query:"Tag"`
}

// specified gives the tags for a resource of a kind. Errors:
// InvalidParameterValue, TagLimitExceeded.
func specified(specs []tagSpecification, kind string) ([]model.Tag, error) {
	var tags []tag
	for _, spec := range specs {
		if spec.ResourceType != kind {
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
func (s *EC2) describeTags(_ context.Context, in *describeTagsInput) (*describeTagsOutput, error) {
	if _, err := matches(in.Filters, tagAttributes(tagged{}, model.Tag{}), nil); err != nil { // also when there is none
		return nil, err
	}
	var found []tagDescription
	for _, t := range s.tags.List("") {
		kind, _ := kindOf(t.ID)
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

func tagAttributes(t tagged, tag model.Tag) attributes {
	kind, _ := kindOf(t.ID)
	return attributes{"resource-id": {t.ID}, "resource-type": {kind}, "key": {tag.Key}, "value": {tag.Value}}
}
