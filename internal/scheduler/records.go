package scheduler

import (
	"context"
	"time"

	"neargate/internal/model"
)

// records is where ECS's records are kept. Clusters and services go by their
// names.
type records interface {
	ActiveCluster(name string) (model.Cluster, error)
	TaskDefinition(ref string) (model.TaskDefinition, bool)
	// Runnable returns the definition for new tasks, or why there is none.
	Runnable(ref string) (model.TaskDefinition, error)

	Service(cluster, name string) (model.Service, bool)
	AllServices() []model.Service
	ChangeService(ctx context.Context, cluster, name string, change func(*model.Service)) (model.Service, error)
	EndService(ctx context.Context, cluster, name string) error
	RetireDeployments(ctx context.Context, cluster, name string, ids []string) (model.Service, error)
	CompleteDeployment(ctx context.Context, cluster, name string) error
	FailDeployment(ctx context.Context, cluster, name string) (back string, err error)
	Events(cluster, service string) []model.ServiceEvent
	AddEvents(ctx context.Context, cluster, service string, events []model.ServiceEvent) error

	Task(cluster, task string) (model.Task, bool)
	Tasks(cluster string) []model.Task
	AllTasks() []model.Task
	PutTask(ctx context.Context, t model.Task) error

	// Sweep drops the tasks and services that ended before a moment.
	Sweep(ctx context.Context, before time.Time) error
}
