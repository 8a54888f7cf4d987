package ecs

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

// described waits until the task has the status.
func described(t *testing.T, s *service, arn, status string) types.Task {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		out, err := s.describeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}})
		if err != nil || len(out.Tasks) != 1 {
			t.Fatalf("got %+v, %v", out, err)
		}
		if *out.Tasks[0].LastStatus == status {
			return out.Tasks[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("task is %s, want %s", *out.Tasks[0].LastStatus, status)
		}
	}
}

func TestRunTaskAndStopTask(t *testing.T) {
	s, eng := ready(t)
	in := &ecs.RunTaskInput{
		TaskDefinition: aws.String("web"), NetworkConfiguration: vpc(), LaunchType: types.LaunchTypeFargate, StartedBy: aws.String("me"),
		ClientToken: aws.String("once"),
		Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{
			Name: aws.String("app"), Command: []string{"migrate"}, Environment: []types.KeyValuePair{{Name: aws.String("MODE"), Value: aws.String("dry")}},
		}}},
	}
	out, err := s.runTask(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Tasks) != 1 || *out.Tasks[0].LastStatus != "PROVISIONING" || *out.Tasks[0].Group != "family:web" {
		t.Fatalf("got %+v", out.Tasks)
	}
	arn := *out.Tasks[0].TaskArn
	task := described(t, s, arn, "RUNNING")
	if task.Connectivity != types.ConnectivityConnected || len(task.Containers[0].NetworkInterfaces) != 1 || *task.Attachments[0].Status != "ATTACHED" {
		t.Errorf("got %s, %+v, %s", task.Connectivity, task.Containers[0].NetworkInterfaces, *task.Attachments[0].Status)
	}
	spec := eng.Runs()[0].Containers[0]
	env := map[string]string{}
	for _, kv := range spec.Env {
		env[kv.Name] = kv.Value
	}
	want := map[string]string{"MODE": "dry", "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
	if diff := cmp.Diff(want, env); diff != "" || !slices.Equal(spec.Command, []string{"migrate"}) {
		t.Errorf("command %v, environment (-want +got):\n%s", spec.Command, diff)
	}
	if a := task.Attributes; len(a) != 1 || *a[0].Name != "ecs.cpu-architecture" || *a[0].Value != "x86_64" {
		t.Errorf("attributes %+v, want the machine's architecture", a)
	}
	again, err := s.runTask(t.Context(), in)
	if err != nil || *again.Tasks[0].TaskArn != arn {
		t.Errorf("the same token: got %+v, %v", again, err)
	}
	if _, err := s.stopTask(t.Context(), &ecs.StopTaskInput{Task: aws.String(arn), Reason: aws.String("enough")}); err != nil {
		t.Fatal(err)
	}
	ended := described(t, s, arn, "STOPPED")
	if ended.StopCode != types.TaskStopCodeUserInitiated || *ended.StoppedReason != "enough" || *ended.Containers[0].ExitCode != 143 {
		t.Errorf("got %s, %s, exit %d", ended.StopCode, *ended.StoppedReason, *ended.Containers[0].ExitCode)
	}
	for _, tt := range []struct {
		name string
		in   ecs.ListTasksInput
		want int
	}{
		{"running ones by default", ecs.ListTasksInput{}, 0},
		{"stopped", ecs.ListTasksInput{DesiredStatus: types.DesiredStatusStopped}, 1},
		{"stopped, by starter", ecs.ListTasksInput{DesiredStatus: types.DesiredStatusStopped, StartedBy: aws.String("me")}, 1},
		{"stopped, by another starter", ecs.ListTasksInput{DesiredStatus: types.DesiredStatusStopped, StartedBy: aws.String("you")}, 0},
		{"stopped, of another family", ecs.ListTasksInput{DesiredStatus: types.DesiredStatusStopped, Family: aws.String("db")}, 0},
	} {
		listed, err := s.listTasks(t.Context(), &tt.in)
		if err != nil || len(listed.TaskArns) != tt.want {
			t.Errorf("%s: got %+v, %v; want %d", tt.name, listed, err, tt.want)
		}
	}
}

// override changes the container app.
func override(o types.ContainerOverride) func(*ecs.RunTaskInput) {
	o.Name = aws.String("app")
	return func(in *ecs.RunTaskInput) {
		in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{o}}
	}
}

func TestRunTaskRefuses(t *testing.T) {
	s, _ := ready(t)
	tests := []struct {
		name   string
		change func(*ecs.RunTaskInput)
		want   string
	}{
		{"unknown cluster", func(in *ecs.RunTaskInput) { in.Cluster = aws.String("nope") }, "ClusterNotFoundException"},
		{"too many", func(in *ecs.RunTaskInput) { in.Count = aws.Int32(11) }, "InvalidParameterException"},
		{"no network", func(in *ecs.RunTaskInput) { in.NetworkConfiguration = nil }, "InvalidParameterException"},
		{"unknown definition", func(in *ecs.RunTaskInput) { in.TaskDefinition = aws.String("nope") }, "ClientException"},
		{"override of an unknown container", func(in *ecs.RunTaskInput) {
			in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("db")}}}
		}, "InvalidParameterException"},
		{"more CPU for a container than the task has", override(types.ContainerOverride{Cpu: aws.Int32(257)}), "ClientException"},
		{"more memory for a container than the task has", override(types.ContainerOverride{Memory: aws.Int32(513)}), "ClientException"},
		{"a variable without a name", override(types.ContainerOverride{Environment: []types.KeyValuePair{{Name: aws.String(""), Value: aws.String("x")}}}), "ClientException"},
		{"a command with a NUL", override(types.ContainerOverride{Command: []string{"a\x00"}}), "ClientException"},
		{"more text than overrides may have", override(types.ContainerOverride{Command: []string{strings.Repeat("x", 8192)}}), "InvalidParameterException"},
	}
	for _, tt := range tests {
		in := &ecs.RunTaskInput{TaskDefinition: aws.String("web"), NetworkConfiguration: vpc()}
		tt.change(in)
		if _, err := s.runTask(t.Context(), in); code(err) != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	out, err := s.describeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{"0123"}})
	if err != nil || len(out.Failures) != 1 || *out.Failures[0].Reason != "MISSING" {
		t.Errorf("unknown task: got %+v, %v", out, err)
	}
	if _, err := s.stopTask(t.Context(), &ecs.StopTaskInput{Task: aws.String("0123")}); code(err) != "InvalidParameterException" {
		t.Errorf("stop an unknown task: got %v", err)
	}
}

func TestTaskThatCannotStartSaysWhy(t *testing.T) {
	s, eng := ready(t)
	eng.FailNext(model.Errorf(model.NotFound, "CannotPullContainerError", "pull web:1: not found"))
	out, err := s.runTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("web"), NetworkConfiguration: vpc()})
	if err != nil {
		t.Fatal(err)
	}
	task := described(t, s, *out.Tasks[0].TaskArn, "STOPPED")
	if task.StopCode != types.TaskStopCodeTaskFailedToStart || *task.StoppedReason != "CannotPullContainerError: pull web:1: not found" {
		t.Errorf("got %s, %s", task.StopCode, *task.StoppedReason)
	}
}
