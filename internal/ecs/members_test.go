package ecs

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

// cloudMap has the services a, with an A record, and srv.
type cloudMap struct{}

func (cloudMap) Service(arn string) (model.DiscoveryService, error) {
	s := model.DiscoveryService{ARN: arn, Records: []model.DiscoveryRecord{{Type: "A"}}}
	if arn == "srv" {
		s.Records[0].Type = "SRV"
	}
	if arn != "a" && arn != "srv" {
		return s, model.Errorf(model.NotFound, "ServiceNotFound", "Service %s not found", arn)
	}
	return s, nil
}

func TestServiceRegistries(t *testing.T) {
	r := newRig(t)
	r.cfg.Registries = cloudMap{}
	for _, row := range []struct {
		name string
		in   []model.ServiceRegistry
		want string
	}{
		{"A", []model.ServiceRegistry{{RegistryARN: "a"}}, ""},
		{"A with a container", []model.ServiceRegistry{{RegistryARN: "a", ContainerName: "app"}}, ""},
		{"SRV with a port", []model.ServiceRegistry{{RegistryARN: "srv", Port: 9000}}, ""},
		{"SRV with a container", []model.ServiceRegistry{{RegistryARN: "srv", ContainerName: "app", ContainerPort: 8080}}, ""},
		{"SRV with nothing", []model.ServiceRegistry{{RegistryARN: "srv"}}, "InvalidParameterException"},
		{"two", []model.ServiceRegistry{{RegistryARN: "a"}, {RegistryARN: "a"}}, "InvalidParameterException"},
		{"none of that name", []model.ServiceRegistry{{RegistryARN: "gone"}}, "InvalidParameterException"},
		{"no name", []model.ServiceRegistry{{}}, "InvalidParameterException"},
		{"a port of both kinds", []model.ServiceRegistry{{RegistryARN: "srv", Port: 1, ContainerName: "app", ContainerPort: 8080}}, "InvalidParameterException"},
		{"a container that is not there", []model.ServiceRegistry{{RegistryARN: "srv", ContainerName: "gone", ContainerPort: 8080}}, "InvalidParameterException"},
		{"a port that it does not have", []model.ServiceRegistry{{RegistryARN: "srv", ContainerName: "app", ContainerPort: 81}}, "InvalidParameterException"},
	} {
		_, err := r.CreateService(t.Context(), creation(func(req *CreateServiceRequest) {
			req.Name, req.Settings.Registries = "s"+row.name[:1]+row.name[len(row.name)-1:], row.in
		}))
		got := ""
		if err != nil {
			got = code(err)
		}
		if got != row.want {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
	}

	// A change of registries is a deployment, whose tasks are in the new ones.
	svc, err := r.CreateService(t.Context(), creation(func(req *CreateServiceRequest) { req.Name = "moving" }))
	if err != nil {
		t.Fatal(err)
	}
	for i, to := range [][]model.ServiceRegistry{{{RegistryARN: "a"}}, {}, nil} {
		was := svc.Deployments[0].ID
		svc, err = r.UpdateService(t.Context(), UpdateServiceRequest{Cluster: "c", Name: "moving", Settings: ServiceSettings{Registries: to}})
		if err != nil {
			t.Fatal(err)
		}
		if began := svc.Deployments[0].ID != was; began != (to != nil) || len(svc.Deployments[0].Registries) != len(to) {
			t.Errorf("change %d: a deployment began: %v, with %v", i, began, svc.Deployments[0].Registries)
		}
	}
}

func TestMembers(t *testing.T) {
	r := newRig(t)
	checked, err := r.RegisterTaskDefinition(t.Context(), RegisterTaskDefinitionRequest{
		Family: "checked", CPU: "256", Memory: "512", NetworkMode: "awsvpc",
		Containers: []model.ContainerDefinition{{Name: "app", Image: "web:1", Essential: true, HealthCheck: &model.ContainerHealthCheck{Command: []string{"CMD", "x"}, Interval: 5 * time.Second, Timeout: 2 * time.Second, Retries: 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := r.TaskDefinition("web")
	task := func(id string, change func(*model.Task)) {
		t.Helper()
		one := model.Task{
			ID: id, Cluster: "c", Service: "s", TaskDefinitionARN: plain.ARN, IP: "10.0.0.1", Health: "UNKNOWN",
			LastStatus: model.TaskRunning, DesiredStatus: model.TaskRunning, Registries: []model.ServiceRegistry{{RegistryARN: "a", Port: 9000}},
		}
		change(&one)
		one.Containers = []model.Container{{Name: "app", Health: one.Health}}
		if err := r.Record(t.Context(), "c", "s", []model.Task{one}, nil); err != nil {
			t.Fatal(err)
		}
	}
	health := func(c *Catalogue) map[string]bool {
		out := map[string]bool{}
		for _, m := range c.Members("a") {
			out[m.ID] = !m.Unhealthy
		}
		return out
	}
	task("runs", func(*model.Task) {})
	task("starts", func(t *model.Task) { t.LastStatus = model.TaskPending })
	task("stops", func(*model.Task) {})
	task("stops", func(t *model.Task) { t.DesiredStatus = model.TaskStopped })
	task("ended", func(t *model.Task) { t.LastStatus, t.DesiredStatus = model.TaskStopped, model.TaskStopped })
	task("elsewhere", func(t *model.Task) { t.Registries = nil })
	task("sick", func(t *model.Task) { t.TaskDefinitionARN, t.Health = checked.ARN, "UNHEALTHY" })
	task("unproven", func(t *model.Task) { t.TaskDefinitionARN = checked.ARN })
	task("proven", func(t *model.Task) { t.TaskDefinitionARN, t.Health = checked.ARN, "HEALTHY" })
	want := map[string]bool{"runs": true, "sick": false, "unproven": false, "proven": true}
	if diff := cmp.Diff(want, health(r.Catalogue)); diff != "" {
		t.Error(diff)
	}
	again, err := Open(r.db, groups{}, r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, health(again)); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}
	for _, m := range r.Members("a") {
		if m.ID == "runs" && (m.Attributes["AWS_INSTANCE_IPV4"] != "10.0.0.1" || m.Attributes["AWS_INSTANCE_PORT"] != "9000" ||
			m.Attributes["ECS_SERVICE_NAME"] != "s" || m.Attributes["ECS_CLUSTER_NAME"] != "c" || m.Attributes["ECS_TASK_DEFINITION_FAMILY"] != "web") {
			t.Errorf("attributes %v", m.Attributes)
		}
	}
	if got := r.Members("b"); len(got) != 0 {
		t.Errorf("of another registry: %v", got)
	}
}
