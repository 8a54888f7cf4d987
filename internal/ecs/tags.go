package ecs

import (
	"context"
	"strings"
	"unicode"

	"neargate/internal/model"
	"neargate/internal/store"
)

const maxTags = 50

func checkTags(tags []model.Tag) error {
	for _, t := range tags {
		switch {
		case t.Key == "" || len(t.Key) > 128:
			return invalid("Tag keys must have between 1 and 128 characters.")
		case len(t.Value) > 256:
			return invalid("Tag values must have at most 256 characters.")
		case strings.ContainsFunc(t.Key+t.Value, unicode.IsControl):
			return invalid("Tag keys and values must not contain control characters.")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return invalid("Tag keys must not begin with aws:.")
		}
	}
	return countTags(tags)
}

func countTags(tags []model.Tag) error {
	if len(tags) > maxTags {
		return invalid("The maximum number of tags for a resource is %d.", maxTags)
	}
	return nil
}

// TagResource adds tags to the cluster, service, task or task definition that
// arn names, or replaces their values. InvalidParameterException,
// ResourceNotFoundException.
func (c *Catalogue) TagResource(ctx context.Context, arn string, tags []model.Tag) error {
	if err := checkTags(tags); err != nil {
		return err
	}
	return c.changeTags(ctx, arn, func(old []model.Tag) ([]model.Tag, error) {
		merged := model.MergeTags(old, tags)
		return merged, countTags(merged)
	})
}

// UntagResource removes tags by key. Errors as TagResource.
func (c *Catalogue) UntagResource(ctx context.Context, arn string, keys []string) error {
	return c.changeTags(ctx, arn, func(old []model.Tag) ([]model.Tag, error) { return model.RemoveTags(old, keys), nil })
}

// Tags returns the tags of what arn names. Errors as TagResource.
func (c *Catalogue) Tags(arn string) (tags []model.Tag, err error) {
	kind, key := resourceOf(arn)
	var exists bool
	switch kind {
	case "cluster":
		var cluster model.Cluster
		cluster, exists = c.clusters.Get(key)
		tags = cluster.Tags
	case "service":
		var svc model.Service
		svc, exists = c.services.Get(key)
		tags = svc.Tags
	case "task":
		var t model.Task
		t, exists = c.tasks.Get(key)
		tags = t.Tags
	case "task-definition":
		var def model.TaskDefinition
		def, exists = c.TaskDefinition(arn)
		tags = def.Tags
	default:
		return nil, errARNSyntax()
	}
	if !exists {
		return nil, errResourceNotFound(arn)
	}
	return tags, nil
}

// resourceOf returns the kind of resource that arn names and the rest of its
// name, which but for task definitions is the key of its record.
func resourceOf(arn string) (kind, key string) {
	a, _ := model.ParseARN(arn)
	kind, key, _ = strings.Cut(a.Resource, "/")
	return kind, key
}

func (c *Catalogue) changeTags(ctx context.Context, arn string, change func([]model.Tag) ([]model.Tag, error)) error {
	kind, key := resourceOf(arn)
	return c.update(ctx, func(t tables) error {
		switch kind {
		case "cluster":
			return retag(t.clusters, key, arn, func(r *model.Cluster) (err error) {
				if r.Status != model.Active {
					return errResourceNotFound(arn)
				}
				r.Tags, err = change(r.Tags)
				return err
			})
		case "service":
			return retag(t.services, key, arn, func(r *model.Service) (err error) {
				r.Tags, err = change(r.Tags)
				return err
			})
		case "task":
			return retag(t.tasks, key, arn, func(r *model.Task) (err error) {
				r.Tags, err = change(r.Tags)
				r.Version++
				return err
			})
		case "task-definition":
			def, _ := findDefinition(t.definitions, arn)
			key := definitionKey(def.Family, def.Revision)
			return retag(t.definitions, key, arn, func(r *model.TaskDefinition) (err error) {
				r.Tags, err = change(r.Tags)
				return err
			})
		}
		return errARNSyntax()
	})
}

func retag[T any](records store.Records[T], key, arn string, change func(*T) error) error {
	record, exists := records.Get(key)
	if !exists {
		return errResourceNotFound(arn)
	}
	if err := change(&record); err != nil {
		return err
	}
	records.Put(key, record)
	return nil
}
