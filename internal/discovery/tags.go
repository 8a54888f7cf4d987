package discovery

import (
	"context"

	"neargate/internal/model"
)

const maxTags = 50

func checkTags(tags []model.Tag) error {
	if len(tags) > maxTags {
		return model.Errorf(model.Invalid, "TooManyTagsException", "A resource can have at most %d tags", maxTags)
	}
	for _, t := range tags {
		if t.Key == "" || len(t.Key) > 128 || len(t.Value) > 256 {
			return invalid("The tag %s is too long or empty", t.Key)
		}
	}
	return nil
}

// Tags returns the tags of a namespace or service by ARN.
// ResourceNotFoundException.
func (d *Directory) Tags(arn string) ([]model.Tag, error) {
	if ns, ok := d.namespaces.Get(id(arn)); ok && ns.ARN == arn {
		return ns.Tags, nil
	}
	if s, ok := d.services.Get(id(arn)); ok && s.ARN == arn {
		return s.Tags, nil
	}
	return nil, errNoResource(arn)
}

func errNoResource(arn string) error {
	return model.Errorf(model.NotFound, "ResourceNotFoundException", "Resource %s not found", arn)
}

// Tag adds tags to a namespace or service, or replaces their values.
// InvalidInput, ResourceNotFoundException, TooManyTagsException.
func (d *Directory) Tag(ctx context.Context, arn string, tags []model.Tag) error {
	return d.changeTags(ctx, arn, func(old []model.Tag) []model.Tag { return model.MergeTags(old, tags) })
}

// Untag removes tags by key. ResourceNotFoundException.
func (d *Directory) Untag(ctx context.Context, arn string, keys []string) error {
	return d.changeTags(ctx, arn, func(old []model.Tag) []model.Tag { return model.RemoveTags(old, keys) })
}

func (d *Directory) changeTags(ctx context.Context, arn string, change func([]model.Tag) []model.Tag) error {
	return d.update(ctx, func(t tables) error {
		if ns, ok := t.namespaces.Get(id(arn)); ok && ns.ARN == arn {
			ns.Tags = change(ns.Tags)
			t.namespaces.Put(ns.ID, ns)
			return checkTags(ns.Tags)
		}
		if s, ok := t.services.Get(id(arn)); ok && s.ARN == arn {
			s.Tags = change(s.Tags)
			t.services.Put(s.ID, s)
			return checkTags(s.Tags)
		}
		return errNoResource(arn)
	})
}
