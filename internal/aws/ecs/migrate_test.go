package ecs

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	catalogue "neargate/internal/ecs"
	"neargate/internal/model"
)

// What the first version kept, the SDK's struct of the answer, is answered the
// same from what it is migrated to.
func TestDefinitionOfTheFirstVersionIsDescribedAsBefore(t *testing.T) {
	s, _ := newFace(t)
	out, err := s.registerTaskDefinition(t.Context(), definition(func(in *ecs.RegisterTaskDefinitionInput) {
		c := &in.ContainerDefinitions[0]
		c.DockerLabels = map[string]string{"Team": "Blue"}
		c.Environment = []types.KeyValuePair{{Name: aws.String("Empty"), Value: aws.String("")}}
		c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": "/ecs/Web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web",
		}}
		c.HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "exit 0"}}
		c.Ulimits = []types.Ulimit{{Name: types.UlimitNameNofile, SoftLimit: 1024, HardLimit: 4096}}
		in.TaskRoleArn = aws.String("arn:aws:iam::000000000000:role/task")
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := out.TaskDefinition
	registered, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	old, err := json.Marshal(map[string]any{
		"ARN": *want.TaskDefinitionArn, "Family": *want.Family, "Revision": 1, "Status": "ACTIVE", "CPUUnits": 256, "MemoryMiB": 512,
		"RegisteredAt": *want.RegisteredAt, "Registered": registered,
	})
	if err != nil {
		t.Fatal(err)
	}
	migrated, err := catalogue.MigrateTaskDefinition1(old)
	if err != nil {
		t.Fatal(err)
	}
	var def model.TaskDefinition
	if err := json.Unmarshal(migrated, &def); err != nil {
		t.Fatal(err)
	}
	got, err := s.taskDefinition(def)
	if err != nil {
		t.Fatal(err)
	}
	unexported := cmpopts.IgnoreUnexported(types.TaskDefinition{}, types.ContainerDefinition{}, types.PortMapping{}, types.HealthCheck{},
		types.KeyValuePair{}, types.LogConfiguration{}, types.Ulimit{}, types.Attribute{})
	if diff := cmp.Diff(want, got, unexported, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("described (-before +after):\n%s", diff)
	}
}
