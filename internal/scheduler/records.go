package scheduler

import (
	"context"
	"time"

	"neargate/internal/model"
)

// records is where ECS's records are kept. Clusters and services go by their
// names.
type records interface {
	definitions
	services
	deployments
	tasks
	// Sweep drops the tasks and services that ended before a moment.
	Sweep(ctx context.Context, before time.Time) error
}

type definitions interface {
	ActiveCluster(name string) (model.Cluster, error)
	TaskDefinition(ref string) (model.TaskDefinition, bool)
	// Runnable returns the definition for new tasks, or why there is none.
	Runnable(ref string) (model.TaskDefinition, error)
}

type services interface {
	Service(cluster, name string) (model.Service, bool)
	AllServices() []model.Service
	ChangeService(ctx context.Context, cluster, name string, change func(*model.Service)) (model.Service, error)
	EndService(ctx context.Context, cluster, name string) error
	Events(cluster, service string) []model.ServiceEvent
}

type deployments interface {
	RetireDeployments(ctx context.Context, cluster, name string, ids []string) (model.Service, error)
	CompleteDeployment(ctx context.Context, cluster, name string) error
	FailDeployment(ctx context.Context, cluster, name string, f model.DeploymentFailure) (back string, err error)
	// AdvanceDeployment keeps how far the primary deployment has come.
	AdvanceDeployment(ctx context.Context, cluster, name string, a model.Advance) error
	// SetImages keeps what images a deployment runs, as digests by container.
	SetImages(ctx context.Context, cluster, name, deployment string, digests map[string]string) error
}

type tasks interface {
	Task(cluster, task string) (model.Task, bool)
	Tasks(cluster string) []model.Task
	AllTasks() []model.Task
	// Record writes tasks and adds events, oldest first, to a service ("": none),
	// all or nothing.
	Record(ctx context.Context, cluster, service string, tasks []model.Task, events []model.ServiceEvent) error
}
