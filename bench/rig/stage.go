package rig

import (
	"context"
	"time"

	"neargate/internal/cli/demo"
	"neargate/internal/cli/stage"
)

// Stage is a cluster with a task definition of the workshop's app, and a load
// balancer that forwards to one target group.
type Stage = stage.Stage

// The size of a task, and the name of the cluster, in all benchmarks.
const (
	TaskCPU  = 256 // CPU units
	TaskVCPU = float64(TaskCPU) / 1024
	Cluster  = stage.Cluster
)

// SetUp creates the stage on a fresh server, with the app out of the binary,
// which waits for startup before it listens.
func SetUp(ctx context.Context, s *Server, binary string, startup time.Duration) (*Stage, error) {
	a := demo.Server{Endpoint: s.Endpoint, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey}
	return stage.SetUp(ctx, a, binary, stage.Task{Units: TaskCPU, Startup: startup})
}

// Until asks done every step until it says true, fails, or limit has passed;
// then the error says what was waited for.
func Until(ctx context.Context, what string, limit, step time.Duration, done func(context.Context) (bool, error)) error {
	return stage.Until(ctx, what, limit, step, done)
}
