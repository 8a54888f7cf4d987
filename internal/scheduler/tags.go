package scheduler

import (
	"context"
	"strings"

	"neargate/internal/model"
)

// ChangeTags replaces the tags of the cluster, service, task or task definition
// that arn names by what change makes of them. InvalidParameterException for
// anything else, ResourceNotFoundException when it is not there, and what
// change returns.
func (s *Scheduler) ChangeTags(ctx context.Context, arn string, change func([]model.Tag) ([]model.Tag, error)) error {
	a, _ := model.ParseARN(arn)
	kind, rest, _ := strings.Cut(a.Resource, "/")
	switch kind {
	case "cluster":
		_, err := s.clusters.Update(ctx, rest, func(c model.Cluster, exists bool) (model.Cluster, error) {
			err := retag(&c.Tags, exists && c.Status == active, arn, change)
			return c, err
		})
		return err
	case "service":
		_, err := s.services.Update(ctx, rest, func(svc model.Service, exists bool) (model.Service, error) {
			err := retag(&svc.Tags, exists, arn, change)
			return svc, err
		})
		return err
	case "task-definition":
		family, _, _ := strings.Cut(rest, ":")
		def, exists := s.TaskDefinition(arn)
		_, err := s.definitions.Update(ctx, definitionKey(family, def.Revision), func(def model.TaskDefinition, _ bool) (model.TaskDefinition, error) {
			err := retag(&def.Tags, exists, arn, change)
			return def, err
		})
		return err
	case "task":
		return s.tagTask(ctx, arn, rest, change)
	default:
		return invalid("Invalid arn syntax.")
	}
}

// tagTask leaves the change to the task's owner, who owns the record.
func (s *Scheduler) tagTask(ctx context.Context, arn, key string, change func([]model.Tag) ([]model.Tag, error)) error {
	record, ok := s.tasks.Get(key)
	if !ok {
		return retag(&record.Tags, false, arn, change)
	}
	o := s.owner(ownerKey(record.Cluster, record.Service))
	answer := make(chan error, 1) // one answer, taken or not
	o.post(func() {
		t, ok := o.tasks[record.ID]
		if !ok {
			t = &task{Task: record}
			o.tasks[record.ID] = t // until it is written
		}
		t.dirty = true
		answer <- retag(&t.Tags, true, arn, change)
	})
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
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

// Tags gives the tags of what arn names. Errors as ChangeTags.
func (s *Scheduler) Tags(arn string) ([]model.Tag, error) {
	a, _ := model.ParseARN(arn)
	kind, rest, _ := strings.Cut(a.Resource, "/")
	var tags []model.Tag
	var ok bool
	switch kind {
	case "cluster":
		var c model.Cluster
		c, ok = s.clusters.Get(rest)
		tags = c.Tags
	case "service":
		var svc model.Service
		svc, ok = s.services.Get(rest)
		tags = svc.Tags
	case "task-definition":
		var def model.TaskDefinition
		def, ok = s.TaskDefinition(arn)
		tags = def.Tags
	case "task":
		var t model.Task
		t, ok = s.tasks.Get(rest)
		tags = t.Tags
	default:
		return nil, invalid("Invalid arn syntax.")
	}
	return tags, retag(&tags, ok, arn, func(tags []model.Tag) ([]model.Tag, error) { return tags, nil })
}
