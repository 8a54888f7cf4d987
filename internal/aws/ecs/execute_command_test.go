package ecs

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// withRole is a definition that ECS Exec can be switched on for.
func withRole(in *ecs.RegisterTaskDefinitionInput) {
	in.TaskRoleArn = aws.String("arn:aws:iam::000000000000:role/task")
}

// execTask runs a task with ECS Exec and returns its ARN when it runs.
func execTask(t *testing.T, s *service, change ...func(*ecs.RegisterTaskDefinitionInput)) string {
	t.Helper()
	if _, err := s.registerTaskDefinition(t.Context(), definition(append(change, withRole)...)); err != nil {
		t.Fatal(err)
	}
	out, err := s.runTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("web"), NetworkConfiguration: vpc(), EnableExecuteCommand: true})
	if err != nil {
		t.Fatal(err)
	}
	return *described(t, s, *out.Tasks[0].TaskArn, "RUNNING").TaskArn
}

func side(in *ecs.RegisterTaskDefinitionInput) {
	in.ContainerDefinitions = append(in.ContainerDefinitions, types.ContainerDefinition{Name: aws.String("side"), Image: aws.String("side:1")})
}

func TestExecuteCommandOpensASession(t *testing.T) {
	s, _ := ready(t)
	arn := execTask(t, s)
	out, err := s.executeCommand(t.Context(), &ecs.ExecuteCommandInput{Task: &arn, Command: aws.String("/bin/sh"), Interactive: true})
	if err != nil {
		t.Fatal(err)
	}
	if *out.TaskArn != arn || *out.ContainerName != "app" || !out.Interactive || out.ContainerArn == nil || !strings.HasSuffix(*out.ClusterArn, "cluster/default") {
		t.Errorf("got %+v", out)
	}
	want := regexp.MustCompile(`^ws://127\.0\.0\.1:4566/v1/data-channel/ecs-execute-command-0[0-9a-f]{16}\?role=publish_subscribe$`)
	if !want.MatchString(*out.Session.StreamUrl) || !strings.Contains(*out.Session.StreamUrl, *out.Session.SessionId) || len(*out.Session.TokenValue) < 32 {
		t.Errorf("got session %+v", out.Session)
	}
	task := described(t, s, arn, "RUNNING")
	agents := task.Containers[0].ManagedAgents
	if !task.EnableExecuteCommand || len(agents) != 1 || agents[0].Name != types.ManagedAgentNameExecuteCommandAgent || *agents[0].LastStatus != "RUNNING" || agents[0].LastStartedAt == nil {
		t.Errorf("got agents %+v", agents)
	}
}

func TestExecuteCommandRefuses(t *testing.T) {
	s, eng := ready(t)
	two := execTask(t, s, side)
	plain, err := s.runTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("web"), NetworkConfiguration: vpc()})
	if err != nil {
		t.Fatal(err)
	}
	without := *plain.Tasks[0].TaskArn
	if agents := described(t, s, without, "RUNNING").Containers[0].ManagedAgents; agents != nil {
		t.Errorf("got agents %+v of a task without ECS Exec", agents)
	}
	ended := execTask(t, s)
	eng.Exit(ended[strings.LastIndex(ended, "/")+1:], 1, "")
	described(t, s, ended, "STOPPED")
	const off = "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again."
	for _, row := range []struct {
		name       string
		in         ecs.ExecuteCommandInput
		code, want string
	}{
		{"no cluster", ecs.ExecuteCommandInput{Cluster: aws.String("other"), Task: &two}, "ClusterNotFoundException", "Cluster not found."},
		{"an ID of no length", ecs.ExecuteCommandInput{Task: aws.String("abc")}, "InvalidParameterException", "task length should be one of [32,36]"},
		{"no task", ecs.ExecuteCommandInput{Task: aws.String(strings.Repeat("0", 32))}, "InvalidParameterException", "The task provided in the request was not found."},
		{"off", ecs.ExecuteCommandInput{Task: &without}, "InvalidParameterException", off},
		{"ended", ecs.ExecuteCommandInput{Task: &ended}, "InvalidParameterException", off},
		{"one of two", ecs.ExecuteCommandInput{Task: &two}, "InvalidParameterException", "The task has more than one container. Specify the name of the container and try again."},
		{"no container", ecs.ExecuteCommandInput{Task: &two, Container: aws.String("third")}, "InvalidParameterException", "The container provided in the request was not found."},
		{"no command", ecs.ExecuteCommandInput{Task: &two, Command: aws.String(" ")}, "InvalidParameterException", "command can not be blank."},
		{"half a command", ecs.ExecuteCommandInput{Task: &two, Command: aws.String("sh -c 'x")}, "InvalidParameterException", "The command is not valid: a quote is not closed."},
		{"good", ecs.ExecuteCommandInput{Task: &two, Container: aws.String("side")}, "", ""},
	} {
		row.in.Interactive = true
		if row.in.Command == nil {
			row.in.Command = aws.String("ls")
		}
		_, err := s.executeCommand(t.Context(), &row.in)
		m, _ := errors.AsType[*model.Error](err)
		if row.code == "" && err != nil || row.code != "" && (m == nil || m.Code != row.code || m.Msg != row.want) {
			t.Errorf("%s: got %v, want %s: %s", row.name, err, row.code, row.want)
		}
	}
	if _, err := s.executeCommand(t.Context(), &ecs.ExecuteCommandInput{Task: &two, Command: aws.String("ls")}); err == nil || !strings.Contains(err.Error(), "Interactive is the only mode supported currently.") {
		t.Errorf("got %v without interactive", err)
	}
}

// TestExecNeedsATaskRole, as on AWS, whose agent gets its rights by it.
func TestExecNeedsATaskRole(t *testing.T) {
	s, _ := ready(t)
	refused := func(what string, err error) {
		t.Helper()
		want := "InvalidParameterException: The " + what + " because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again."
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	_, err := s.runTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("web"), NetworkConfiguration: vpc(), EnableExecuteCommand: true})
	refused("task couldn't be run", err)
	_, err = s.createService(t.Context(), creation(func(in *ecs.CreateServiceInput) { in.EnableExecuteCommand = true }))
	refused("service couldn't be created", err)
	if _, err := s.createService(t.Context(), creation()); err != nil {
		t.Fatal(err)
	}
	_, err = s.updateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("s"), EnableExecuteCommand: aws.Bool(true)})
	refused("service couldn't be updated", err)
	if _, err := s.registerTaskDefinition(t.Context(), definition(withRole)); err != nil {
		t.Fatal(err)
	}
	out, err := s.updateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("s"), EnableExecuteCommand: aws.Bool(true), TaskDefinition: aws.String("web")})
	if err != nil || !out.Service.EnableExecuteCommand {
		t.Errorf("got %v with a role", err)
	}
	_, err = s.updateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("s"), TaskDefinition: aws.String("web:1")})
	refused("service couldn't be updated", err)
}

// TestExecLogGroup: where the output of sessions is kept.
func TestExecLogGroup(t *testing.T) {
	s, _ := newFace(t)
	own := model.ContainerDefinition{Log: model.LogConfig{Driver: "awslogs", Options: map[string]string{"awslogs-group": "/own"}}}
	override := &types.ExecuteCommandLogConfiguration{CloudWatchLogGroupName: aws.String("/exec")}
	for _, row := range []struct {
		name string
		in   *types.ExecuteCommandConfiguration
		want string
	}{
		{"no configuration", nil, "/own"},
		{"the default", &types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingDefault}, "/own"},
		{"unsaid", &types.ExecuteCommandConfiguration{KmsKeyId: aws.String("k")}, "/own"},
		{"none", &types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingNone}, ""},
		{"its own", &types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingOverride, LogConfiguration: override}, "/exec"},
		{"a bucket", &types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingOverride, LogConfiguration: &types.ExecuteCommandLogConfiguration{S3BucketName: aws.String("b")}}, ""},
	} {
		var configuration *types.ClusterConfiguration
		if row.in != nil {
			configuration = &types.ClusterConfiguration{ExecuteCommandConfiguration: row.in}
		}
		data, err := s.keepConfiguration(configuration)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.execLogGroup(model.Cluster{Configuration: data}, own); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	if got := s.execLogGroup(model.Cluster{}, model.ContainerDefinition{}); got != "" {
		t.Errorf("got %q of a container without a log", got)
	}
}
