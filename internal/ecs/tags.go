package ecs

import (
	"context"
	"strings"

	"neargate/internal/model"
)

// ChangeTags replaces the tags of the cluster, service, task or task definition
// that arn names by what change makes of them. InvalidParameterException for
// anything else, ResourceNotFoundException when it is not there, and what
// change returns.
func (c *Catalogue) ChangeTags(ctx context.Context, arn string, change func([]model.Tag) ([]model.Tag, error)) error {
	a, _ := model.ParseARN(arn)
	kind, rest, _ := strings.Cut(a.Resource, "/")
	var err error
	switch kind {
	case "cluster":
		_, err = c.clusters.Update(ctx, rest, func(cur model.Cluster, exists bool) (model.Cluster, error) {
			err := retag(&cur.Tags, exists && cur.Status == model.Active, arn, change)
			return cur, err
		})
	case "service":
		_, err = c.services.Update(ctx, rest, func(cur model.Service, exists bool) (model.Service, error) {
			err := retag(&cur.Tags, exists, arn, change)
			return cur, err
		})
	case "task-definition":
		family, _, _ := strings.Cut(rest, ":")
		def, exists := c.TaskDefinition(arn)
		_, err = c.definitions.Update(ctx, definitionKey(family, def.Revision), func(cur model.TaskDefinition, _ bool) (model.TaskDefinition, error) {
			err := retag(&cur.Tags, exists, arn, change)
			return cur, err
		})
	case "task":
		_, err = c.tasks.Update(ctx, rest, func(cur model.Task, exists bool) (model.Task, error) {
			err := retag(&cur.Tags, exists, arn, change)
			cur.Version++
			return cur, err
		})
	default:
		return invalid("Invalid arn syntax.")
	}
	return err
}

func retag(tags *[]model.Tag, exists bool, arn string, change func([]model.Tag) ([]model.Tag, error)) error {
	if !exists {
		return model.Errorf(model.NotFound, "ResourceNotFoundException", "The specified resource was not found: %s", arn)
	}
	next, err := change(*tags)
	if err == nil {
		*tags = next
	}
	return err
}

// Tags returns the tags of what arn names. Errors as ChangeTags.
func (c *Catalogue) Tags(arn string) ([]model.Tag, error) {
	a, _ := model.ParseARN(arn)
	kind, rest, _ := strings.Cut(a.Resource, "/")
	var tags []model.Tag
	var ok bool
	switch kind {
	case "cluster":
		var cluster model.Cluster
		cluster, ok = c.clusters.Get(rest)
		tags = cluster.Tags
	case "service":
		var svc model.Service
		svc, ok = c.services.Get(rest)
		tags = svc.Tags
	case "task-definition":
		var def model.TaskDefinition
		def, ok = c.TaskDefinition(arn)
		tags = def.Tags
	case "task":
		var t model.Task
		t, ok = c.tasks.Get(rest)
		tags = t.Tags
	default:
		return nil, invalid("Invalid arn syntax.")
	}
	return tags, retag(&tags, ok, arn, func(tags []model.Tag) ([]model.Tag, error) { return tags, nil })
}
