package ecs

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"go.uber.org/goleak"

	"neargate/internal/aws/wire"
	"neargate/internal/decide/rollout"
	catalogue "neargate/internal/ecs"
	"neargate/internal/model"
	"neargate/internal/provision"
	"neargate/internal/runtime/fake"
	"neargate/internal/scheduler"
	"neargate/internal/session"
	"neargate/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	goodGroup   = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/1"
	unusedGroup = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/idle/2"
)

// balancer knows two groups and takes every target as healthy.
type balancer struct{}

func (balancer) TargetGroup(arn string) (model.TargetGroup, bool) {
	return model.TargetGroup{ARN: arn, TargetType: "ip"}, arn == goodGroup || arn == unusedGroup
}

func (balancer) TargetGroupLoadBalancers(arn string) []string {
	if arn == goodGroup {
		return []string{"lb"}
	}
	return nil
}

func (balancer) RegisterTargets(context.Context, string, []model.Target) error   { return nil }
func (balancer) DeregisterTargets(context.Context, string, []model.Target) error { return nil }

func (balancer) DeregisterLostTargets(context.Context, string, []model.Target) error { return nil }

func (balancer) Forwards(string) ([]model.WeightedTargetGroup, error) { return nil, nil }

func (balancer) SetForwards(context.Context, string, []model.WeightedTargetGroup) error { return nil }

func (balancer) InAlarm([]string) []string { return nil }

func (balancer) Window([]string) time.Duration { return 0 }

func (balancer) TargetHealth(string) ([]model.TargetHealth, error) { return nil, nil }

type logs struct{}

func (logs) HasGroup(string) bool                      { return true }
func (logs) EnsureGroup(context.Context, string) error { return nil }

func newFace(t *testing.T) (*service, *fake.Engine) {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	place := model.Place{Region: "us-east-1", Account: "000000000000"}
	eng := fake.New(fake.Config{})
	var sched *scheduler.Scheduler
	records, err := catalogue.Open(db, balancer{}, catalogue.Config{
		Place: place, OnChange: func(cluster, service string) { sched.ServiceChanged(cluster, service) },
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := scheduler.Default(place)
	cfg.Timing = rollout.Timing{} // tasks count as healthy at once
	sched = scheduler.New(scheduler.Parts{
		Records: records, Engine: eng, Targets: balancer{}, Rules: balancer{}, Alarms: balancer{}, Logs: logs{}, Prepare: provision.New(nil, nil, nil),
	}, cfg, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sched.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		db.Close()
	})
	return &service{
		ecs: records, tasks: sched, place: place, records: wire.NewRecords(wire.LowerCamel),
		sessions: session.New(eng, nil, slog.New(slog.DiscardHandler)), streams: "ws://127.0.0.1:4566",
	}, eng
}

// definition is a valid input of RegisterTaskDefinition.
func definition(change ...func(*ecs.RegisterTaskDefinitionInput)) *ecs.RegisterTaskDefinitionInput {
	in := &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("web"), Cpu: aws.String(".25 vCPU"), Memory: aws.String("0.5 GB"), NetworkMode: types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String("web:1"),
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(8080)}},
		}},
	}
	for _, c := range change {
		c(in)
	}
	return in
}

func vpc() *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
}

// creation is a valid input of CreateService.
func creation(change ...func(*ecs.CreateServiceInput)) *ecs.CreateServiceInput {
	in := &ecs.CreateServiceInput{
		ServiceName: aws.String("s"), TaskDefinition: aws.String("web"), DesiredCount: aws.Int32(2),
		LaunchType: types.LaunchTypeFargate, NetworkConfiguration: vpc(),
	}
	for _, c := range change {
		c(in)
	}
	return in
}

// ready is a face with the default cluster and the definition web:1.
func ready(t *testing.T) (*service, *fake.Engine) {
	t.Helper()
	s, eng := newFace(t)
	if _, err := s.createCluster(t.Context(), &ecs.CreateClusterInput{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.registerTaskDefinition(t.Context(), definition()); err != nil {
		t.Fatal(err)
	}
	return s, eng
}

// through calls an operation as the door does: what is refused by name does not
// reach it.
func through[In, Out any](t *testing.T, s *service, name string, op func(context.Context, *In) (*Out, error), in *In) (*Out, error) {
	t.Helper()
	if err := New(s.ecs, s.tasks, Exec{Sessions: s.sessions, Endpoint: "http://127.0.0.1:4566"}, s.place).Check(name, in); err != nil {
		return nil, err
	}
	return op(t.Context(), in)
}

func code(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Code
	}
	return ""
}

// stable waits as the waiter services-stable does.
func stable(t *testing.T, s *service) types.Service {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		out, err := s.describeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"s"}})
		if err != nil {
			t.Fatal(err)
		}
		svc := out.Services[0]
		if len(svc.Deployments) == 1 && svc.RunningCount == svc.DesiredCount && svc.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted {
			return svc
		}
		if time.Now().After(deadline) {
			t.Fatalf("not stable: %d running of %d, deployments %+v", svc.RunningCount, svc.DesiredCount, svc.Deployments)
		}
		time.Sleep(time.Millisecond)
	}
}
