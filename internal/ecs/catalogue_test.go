package ecs

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
	"neargate/internal/store"
)

// groups are the target groups good, which a load balancer uses, and unused.
type groups struct{}

func (groups) TargetGroup(arn string) (model.TargetGroup, bool) {
	return model.TargetGroup{ARN: arn, TargetType: "ip"}, arn == "good" || arn == "unused"
}

func (groups) TargetGroupLoadBalancers(arn string) []string {
	if arn == "good" {
		return []string{"lb"}
	}
	return nil
}

// Forwards returns none: nothing here shifts traffic.
func (groups) Forwards(string) ([]model.WeightedTargetGroup, error) { return nil, nil }

// rig is a catalogue with the cluster c and the definition web:1.
type rig struct {
	*Catalogue
	t       *testing.T
	db      *store.DB
	changes []string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := &rig{t: t, db: db}
	r.Catalogue, err = Open(db, groups{}, Config{
		Place:    model.Place{Region: "us-east-1", Account: "000000000000"},
		OnChange: func(cluster, service string) { r.changes = append(r.changes, cluster+"/"+service) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CreateCluster(t.Context(), CreateClusterRequest{Name: "c"}); err != nil {
		t.Fatal(err)
	}
	r.register("web")
	return r
}

func (r *rig) register(family string) model.TaskDefinition {
	r.t.Helper()
	def, err := r.RegisterTaskDefinition(r.t.Context(), RegisterTaskDefinitionRequest{
		Family: family, CPU: "256", Memory: "512", NetworkMode: "awsvpc",
		Containers: []model.ContainerDefinition{{
			Name: "app", Image: "web:1", Essential: true, PortMappings: []model.PortMapping{{ContainerPort: 8080, Protocol: "tcp"}},
		}},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return def
}

// creation is a valid request for the service s.
func creation(change ...func(*CreateServiceRequest)) CreateServiceRequest {
	req := CreateServiceRequest{Cluster: "c", Name: "s", Settings: ServiceSettings{
		TaskDefinition: new("web"), DesiredCount: new(2), Network: &model.Network{Subnets: []string{"subnet-1"}},
		LoadBalancers: []model.ServiceLoadBalancer{{TargetGroupARN: "good", ContainerName: "app", ContainerPort: 8080}},
	}}
	for _, c := range change {
		c(&req)
	}
	return req
}

func (r *rig) create(change ...func(*CreateServiceRequest)) model.Service {
	r.t.Helper()
	svc, err := r.CreateService(r.t.Context(), creation(change...))
	if err != nil {
		r.t.Fatal(err)
	}
	return svc
}

func update(settings ServiceSettings) UpdateServiceRequest {
	return UpdateServiceRequest{Cluster: "c", Name: "s", Settings: settings}
}

// content is everything that the catalogue keeps.
func (r *rig) content() map[string]any {
	return map[string]any{
		"clusters": r.clusters.List(""), "definitions": r.definitions.List(""), "services": r.services.List(""), "tasks": r.tasks.List(""),
		"events": r.events.List(""), "history": r.history.List(""), "settings": r.settings.List(""),
	}
}

func code(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Code
	}
	return ""
}

// What a call refuses has changed nothing, and nobody hears of it.
func TestRefusedCallsChangeNothing(t *testing.T) {
	r := newRig(t)
	r.create(func(req *CreateServiceRequest) { req.ClientToken = "token" })
	ctx := t.Context()
	tests := []struct {
		name, code, text string
		call             func() error
	}{
		{"a service twice", "InvalidParameterException", "Creation of service was not idempotent.", func() error {
			_, err := r.CreateService(ctx, creation())
			return err
		}},
		{"the token of another count", "InvalidParameterException", "not idempotent", func() error {
			_, err := r.CreateService(ctx, creation(func(req *CreateServiceRequest) {
				req.ClientToken, req.Settings.DesiredCount = "token", new(3)
			}))
			return err
		}},
		{"no count", "InvalidParameterException", "DesiredCount is missing", func() error {
			_, err := r.CreateService(ctx, creation(func(req *CreateServiceRequest) { req.Name, req.Settings.DesiredCount = "new", nil }))
			return err
		}},
		{"a definition that is not there", "ClientException", "TaskDefinition not found.", func() error {
			_, err := r.UpdateService(ctx, update(ServiceSettings{TaskDefinition: new("none"), DesiredCount: new(5)}))
			return err
		}},
		{"a threshold of 101 percent", "InvalidParameterException", "Invalid deployment circuit breaker threshold value.", func() error {
			_, err := r.UpdateService(ctx, update(ServiceSettings{DesiredCount: new(5), Rollout: RolloutSettings{
				Breaker: &Breaker{Enable: true, Threshold: &Threshold{Type: "BOUNDED_PERCENT", Value: 101}},
			}}))
			return err
		}},
		{"a target group without a load balancer", "InvalidParameterException", "does not have an associated load balancer", func() error {
			_, err := r.UpdateService(ctx, update(ServiceSettings{LoadBalancers: []model.ServiceLoadBalancer{
				{TargetGroupARN: "unused", ContainerName: "app", ContainerPort: 8080},
			}}))
			return err
		}},
		{"a grace period without load balancers", "InvalidParameterException", "Health check grace period", func() error {
			_, err := r.UpdateService(ctx, update(ServiceSettings{LoadBalancers: []model.ServiceLoadBalancer{}, Grace: new(time.Second)}))
			return err
		}},
		{"a negative count", "InvalidParameterException", "Task count can not be lesser than 0", func() error {
			return r.SetDesiredCount(ctx, "c", "s", -1)
		}},
		{"to delete while scaled above 0", "InvalidParameterException", "scaled above 0", func() error {
			_, err := r.DeleteService(ctx, "c", "s", false)
			return err
		}},
		{"to delete a cluster with services", "ClusterContainsServicesException", "while Services are active", func() error {
			_, err := r.DeleteCluster(ctx, "c")
			return err
		}},
		{"tags of AWS's", "InvalidParameterException", "aws:", func() error {
			svc, _ := r.Service("c", "s")
			return r.TagResource(ctx, svc.ARN, []model.Tag{{Key: "a", Value: "b"}, {Key: "aws:x"}})
		}},
		{"to delete an ACTIVE definition", "InvalidParameterException", "still in ACTIVE status", func() error {
			_, err := r.DeleteTaskDefinition(ctx, "web:1")
			return err
		}},
	}
	before := r.content()
	r.changes = nil
	for _, tt := range tests {
		err := tt.call()
		if code(err) != tt.code || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: got %v, want %s with %q", tt.name, err, tt.code, tt.text)
		}
		if diff := cmp.Diff(before, r.content()); diff != "" {
			t.Errorf("%s: has changed (-before +after):\n%s", tt.name, diff)
		}
	}
	if len(r.changes) > 0 {
		t.Errorf("reported changes %v, want none", r.changes)
	}
}

// What cannot be written has changed nothing either.
func TestFailedWriteChangesNothing(t *testing.T) {
	r := newRig(t)
	r.create()
	def := r.register("web")
	before := r.content()
	r.changes = nil
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // a closed store answers nobody
	defer cancel()
	if _, err := r.UpdateService(ctx, update(ServiceSettings{TaskDefinition: &def.ARN})); err == nil {
		t.Error("got no error of an update that was not written")
	}
	if _, err := r.FailDeployment(ctx, "c", "s", model.DeploymentFailure{Rollback: true}); err == nil {
		t.Error("got no error of an outcome that was not written")
	}
	if diff := cmp.Diff(before, r.content()); diff != "" {
		t.Errorf("has changed (-before +after):\n%s", diff)
	}
	if len(r.changes) > 0 {
		t.Errorf("reported changes %v, want none", r.changes)
	}
}

func TestTokenReturnsTheSameService(t *testing.T) {
	r := newRig(t)
	again := func(req *CreateServiceRequest) { req.ClientToken = "token" }
	first := r.create(again)
	if err := r.SetDesiredCount(t.Context(), "c", "s", 7); err != nil { // an autoscaler
		t.Fatal(err)
	}
	second := r.create(again, func(req *CreateServiceRequest) { req.Tags = []model.Tag{{Key: "a"}} })
	if !second.CreatedAt.Equal(first.CreatedAt) || second.DesiredCount != 7 || len(second.Tags) > 0 {
		t.Errorf("got %+v, want the service as it is", second)
	}
}

func TestDeploymentsOfAServiceAndTheirHistory(t *testing.T) {
	r := newRig(t)
	r.create(func(req *CreateServiceRequest) { req.Settings.Rollout.Breaker = &Breaker{Enable: true, Rollback: true} })
	ctx := t.Context()
	if err := r.CompleteDeployment(ctx, "c", "s"); err != nil {
		t.Fatal(err)
	}
	def := r.register("web")
	svc, err := r.UpdateService(ctx, update(ServiceSettings{TaskDefinition: &def.ARN}))
	if err != nil || len(svc.Deployments) != 2 || svc.Deployments[0].TaskDefinitionARN != def.ARN {
		t.Fatalf("updated: %+v, %v", svc.Deployments, err)
	}
	back, err := r.FailDeployment(ctx, "c", "s", model.DeploymentFailure{Tripped: true, Rollback: true})
	if err != nil || back != svc.Deployments[1].ID {
		t.Fatalf("went back to %q, %v, want %s", back, err, svc.Deployments[1].ID)
	}
	var states []string
	svc, _ = r.Service("c", "s")
	for _, rec := range r.ServiceDeployments(svc) {
		states = append(states, string(rec.Status))
	}
	if diff := cmp.Diff([]string{"ROLLBACK_IN_PROGRESS", "SUCCESSFUL"}, states); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if err := r.CompleteDeployment(ctx, "c", "s"); err != nil {
		t.Fatal(err)
	}
	if rec := r.ServiceDeployments(svc)[0]; rec.Status != model.DeploymentRolledBack || !rec.Tripped {
		t.Errorf("got %s, tripped %v, want ROLLBACK_SUCCESSFUL", rec.Status, rec.Tripped)
	}
}
