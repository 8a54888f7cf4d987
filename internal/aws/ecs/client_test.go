package ecs

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/aws/wire"
)

// anyone lets everyone in.
type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) { return wire.Caller{ARN: "arn:aws:iam::000000000000:user/me"}, nil }, nil
}

// newClient returns an SDK client of the face over HTTP.
func newClient(t *testing.T) *ecs.Client {
	t.Helper()
	s, _ := newFace(t)
	face := New(s.ecs, s.tasks, Exec{Sessions: s.sessions, Endpoint: "http://127.0.0.1:4566"}, s.place)
	server := httptest.NewServer(wire.NewHandler([]wire.Service{face}, anyone{}, wire.Config{Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return ecs.New(ecs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	})
}

func TestSDKClientRunsAServiceToItsEnd(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	if _, err := c.CreateCluster(ctx, &ecs.CreateClusterInput{}); err != nil {
		t.Fatal(err)
	}
	in := definition()
	in.ContainerDefinitions[0].Environment = []types.KeyValuePair{{Name: aws.String("EMPTY"), Value: aws.String("")}}
	td, err := c.RegisterTaskDefinition(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if got := td.TaskDefinition; got.ContainerDefinitions[0].MountPoints == nil || *got.RegisteredBy != "arn:aws:iam::000000000000:user/me" || time.Since(*got.RegisteredAt) > time.Minute {
		t.Errorf("got %+v", got)
	}
	if _, err := c.CreateService(ctx, creation()); err != nil {
		t.Fatal(err)
	}
	quick := func(o *ecs.ServicesStableWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
	}
	described, err := ecs.NewServicesStableWaiter(c, quick).WaitForOutput(ctx, &ecs.DescribeServicesInput{Services: []string{"s"}}, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if svc := described.Services[0]; svc.RunningCount != 2 || len(svc.Events) == 0 || svc.Events[0].CreatedAt.IsZero() {
		t.Errorf("got %d running, events %+v", svc.RunningCount, svc.Events)
	}
	tasks, err := c.ListTasks(ctx, &ecs.ListTasksInput{ServiceName: aws.String("s")})
	if err != nil || len(tasks.TaskArns) != 2 {
		t.Fatalf("got %+v, %v", tasks, err)
	}
	if err := ecs.NewTasksRunningWaiter(c).Wait(ctx, &ecs.DescribeTasksInput{Tasks: tasks.TaskArns}, 10*time.Second); err != nil {
		t.Error(err)
	}
	_, err = c.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("nope"), DesiredCount: aws.Int32(1)})
	if _, ok := errors.AsType[*types.ServiceNotFoundException](err); !ok {
		t.Errorf("unknown service: got %v", err)
	}
	if _, err := c.DeleteService(ctx, &ecs.DeleteServiceInput{Service: aws.String("s"), Force: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	gone := func(o *ecs.ServicesInactiveWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
	}
	if err := ecs.NewServicesInactiveWaiter(c, gone).Wait(ctx, &ecs.DescribeServicesInput{Services: []string{"s"}}, 10*time.Second); err != nil {
		t.Error(err)
	}
	if _, err := c.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: aws.String("default")}); err != nil {
		t.Error(err)
	}
}
