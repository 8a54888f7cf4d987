package scheduler

import (
	"slices"
	"strings"
	"testing"

	"neargate/internal/model"
)

// aService has one service, which keeps to AWS.
type aService struct{ services }

func (aService) Service(_, name string) (model.Service, bool) {
	if name != "out" {
		return model.Service{}, false
	}
	return model.Service{Tags: []model.Tag{{Key: endpointsTag, Value: "off"}}}, true
}

func TestEnvironment(t *testing.T) {
	all := environment{
		platform: Platform{Metadata: "http://169.254.170.2", Endpoints: []model.KeyValue{{Name: "AWS_ENDPOINT_URL_ECS", Value: "http://10.0.0.1:4566"}}},
		region:   "eu-west-1", services: aService{},
	}
	none := environment{region: "eu-west-1", services: aService{}}
	const id = "0123456789abcdef0123456789abcdef"
	const credentials = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/01234567-89ab-4def-a123-456789abcdef"
	const endpoint, region = "AWS_ENDPOINT_URL_ECS=http://10.0.0.1:4566", "AWS_REGION=eu-west-1"
	own := func(name, value string) []model.KeyValue { return []model.KeyValue{{Name: name, Value: value}} }
	for _, row := range []struct {
		name string
		from environment
		task model.Task
		def  model.TaskDefinition
		env  []model.KeyValue
		has  []string // of the second container
		not  string   // a part that it does not have
	}{
		{
			name: "a role", from: all, def: model.TaskDefinition{TaskRoleARN: "worker"},
			has: []string{credentials, endpoint, region, "AWS_DEFAULT_REGION=eu-west-1", "AWS_EXECUTION_ENV=AWS_ECS_FARGATE", "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/" + id + "-0000000002", "ECS_CONTAINER_METADATA_URI=http://169.254.170.2/v3/" + id + "-0000000002"},
		},
		{name: "the role of RunTask", from: all, task: model.Task{TaskRoleARN: "worker"}, has: []string{credentials}},
		{name: "no role", from: all, has: []string{endpoint}, not: "CREDENTIALS"},
		{name: "an endpoint of its own", from: all, env: own("AWS_ENDPOINT_URL", "http://there"), has: []string{region}, not: "AWS_ENDPOINT_URL_ECS"},
		{name: "keys of its own", from: all, env: own("AWS_ACCESS_KEY_ID", "AKIA"), has: []string{region}, not: "AWS_ENDPOINT_URL_ECS"},
		{name: "an endpoint of its own for one service", from: all, env: own("AWS_ENDPOINT_URL_ECS", "http://there"), has: []string{"AWS_ENDPOINT_URL_ECS=http://there"}, not: "10.0.0.1"},
		{name: "a region of its own", from: all, env: own("AWS_REGION", "us-west-2"), has: []string{"AWS_REGION=us-west-2", "AWS_DEFAULT_REGION=eu-west-1"}, not: region},
		{name: "a definition with the tag", from: all, def: model.TaskDefinition{Tags: []model.Tag{{Key: endpointsTag, Value: "OFF"}}}, has: []string{region}, not: "AWS_ENDPOINT_URL"},
		{name: "a service with the tag", from: all, task: model.Task{Service: "out"}, has: []string{region}, not: "AWS_ENDPOINT_URL"},
		{name: "an engine whose tasks reach no server", from: none, def: model.TaskDefinition{TaskRoleARN: "worker"}, has: []string{region}, not: "169.254.170.2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.task.ID = id
			spec := model.TaskSpec{Containers: []model.ContainerSpec{{}, {Env: row.env}}}
			row.from.add(&spec, row.task, row.def)
			var env []string
			for _, kv := range spec.Containers[1].Env {
				env = append(env, kv.Name+"="+kv.Value)
			}
			for _, want := range row.has {
				if !slices.Contains(env, want) {
					t.Errorf("no %s in %q", want, env)
				}
			}
			if row.not != "" && strings.Contains(strings.Join(env, "\n"), row.not) {
				t.Errorf("%s in %q", row.not, env)
			}
		})
	}
}
