package ecs

import (
	"context"
	"strings"
	"time"

	"neargate/internal/model"
)

// Protection is how tasks are to be protected from scale-in and deployments.
type Protection struct {
	Cluster string
	Tasks   []string // IDs or ARNs
	Enable  bool
	For     *time.Duration // nil is two hours
}

// Failure is why a call did nothing for one resource.
type Failure struct{ ARN, Reason, Detail string }

// maxProtection bounds it. [API_UpdateTaskProtection].
const maxProtection = 48 * time.Hour

// ProtectTasks protects tasks of services, or ends their protection, and returns
// those tasks as they then are. failures has an entry for each other task.
// ClusterNotFoundException, InvalidParameterException.
func (c *Catalogue) ProtectTasks(ctx context.Context, p Protection) (tasks []model.Task, failures []Failure, err error) {
	until := time.Time{}
	if p.Enable {
		lasts := 2 * time.Hour
		set(&lasts, p.For)
		if lasts < time.Minute || lasts > maxProtection {
			return nil, nil, invalid("expiresInMinutes must be between 1 and 2880.")
		}
		until = time.Now().Add(lasts)
	}
	if n := len(p.Tasks); n == 0 || n > 10 {
		return nil, nil, invalid("Tasks must have between 1 and 10 items.")
	}
	services := map[string]model.Service{}
	err = c.update(ctx, func(t tables) error {
		cluster, err := activeCluster(t.clusters, p.Cluster)
		if err != nil {
			return err
		}
		for _, ref := range p.Tasks {
			task, why := protectable(t, c.cfg.Place, cluster, ref)
			if why != nil {
				failures = append(failures, *why)
				continue
			}
			task.ProtectedUntil = until
			task.Version++
			t.tasks.Put(taskKey(task), task)
			tasks = append(tasks, task)
			services[task.Service], _ = t.services.Get(key(task.Cluster, task.Service))
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for _, svc := range services {
		c.changed(svc)
	}
	return tasks, failures, nil
}

// protectable returns a task that can be protected, or why it cannot be, in the
// words of API_failures_messages.
func protectable(t tables, place model.Place, cluster model.Cluster, ref string) (model.Task, *Failure) {
	id := ref[strings.LastIndex(ref, "/")+1:]
	task, ok := t.tasks.Get(cluster.Name + "/" + id)
	switch {
	case !ok:
		return task, &Failure{ARN: place.TaskARN(cluster.Name, id), Reason: "MISSING"}
	case task.Service == "" || task.DesiredStatus == model.TaskStopped:
		return task, &Failure{ARN: task.ARN, Reason: "TASK_NOT_VALID", Detail: "The task is not a running task of a service."}
	}
	return task, nil
}
