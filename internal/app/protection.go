package app

import (
	"context"
	"time"

	"neargate/internal/ecs"
	"neargate/internal/metadata"
	"neargate/internal/model"
)

// protection is what the metadata endpoint asks of ECS.
type protection struct{ *parts }

// Protect protects a task for so long (nil: two hours), or ends its protection.
func (p protection) Protect(ctx context.Context, t model.Task, enable bool, lasts *time.Duration) (now model.Task, refused *metadata.Refusal, err error) {
	tasks, failures, err := p.ecs.ProtectTasks(ctx, ecs.Protection{Cluster: t.Cluster, Tasks: []string{t.ID}, Enable: enable, For: lasts})
	if err != nil {
		return now, nil, err
	}
	if len(failures) > 0 { // of the one task
		f := failures[0]
		refused = &metadata.Refusal{ARN: f.ARN, Reason: f.Reason}
		if f.Detail != "" {
			refused.Detail = &f.Detail
		}
		return now, refused, nil
	}
	return tasks[0], nil, nil
}
