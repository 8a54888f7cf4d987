package ecs

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
	"neargate/internal/session"
)

// noticeReadonly tells the users of a session what AWS would have done (Amazon
// ECS Developer Guide, "ECS Exec": the SSM agent needs a file system that it can
// write to).
const noticeReadonly = "On AWS this session would have failed: the container's root file system is read-only, and ECS Exec's agent cannot run there."

// executeCommand: codes ClusterNotFoundException, InvalidParameterException,
// ThrottlingException.
func (s *service) executeCommand(_ context.Context, in *ecs.ExecuteCommandInput) (*ecs.ExecuteCommandOutput, error) {
	cluster, err := s.ecs.ActiveCluster(aws.ToString(in.Cluster))
	if err != nil {
		return nil, err
	}
	args, err := session.Split(aws.ToString(in.Command))
	switch {
	case err != nil:
		return nil, invalid("The command is not valid: %v.", err)
	case len(args) == 0:
		return nil, invalid("command can not be blank.")
	case !in.Interactive:
		return nil, invalid("Interactive is the only mode supported currently.")
	}
	t, err := s.execTask(cluster, aws.ToString(in.Task))
	if err != nil {
		return nil, err
	}
	c, err := execContainer(t, aws.ToString(in.Container))
	if err != nil {
		return nil, err
	}
	request := session.Request{Task: t.ID, Container: c.Name, Args: args}
	if def, ok := s.containerDefinition(t, c.Name); ok {
		request.LogGroup = s.execLogGroup(cluster, def)
		if def.ReadonlyRoot {
			request.Notice = noticeReadonly
		}
	}
	ticket, err := s.sessions.Open(request)
	if err != nil {
		return nil, err
	}
	return &ecs.ExecuteCommandOutput{
		ClusterArn: aws.String(t.ClusterARN), TaskArn: aws.String(t.ARN), ContainerArn: aws.String(c.ARN), ContainerName: aws.String(c.Name), Interactive: true,
		Session: &types.Session{
			SessionId: aws.String(ticket.ID), TokenValue: aws.String(ticket.Token),
			StreamUrl: aws.String(s.streams + session.Path + ticket.ID + "?role=publish_subscribe"),
		},
	}, nil
}

// execTask finds a task that commands can be run in.
func (s *service) execTask(cluster model.Cluster, ref string) (model.Task, error) {
	t, ok := s.ecs.Task(cluster.Name, ref)
	if n := len(ref[strings.LastIndex(ref, "/")+1:]); !ok && n != 32 && n != 36 {
		return t, invalid("task length should be one of [32,36]")
	}
	switch {
	case !ok:
		return t, invalid("The task provided in the request was not found.")
	case !t.EnableExecuteCommand || t.LastStatus != model.TaskRunning:
		return t, errNoAgent()
	}
	return t, nil
}

// execContainer finds a container of the task; "" is its only one.
func execContainer(t model.Task, name string) (model.Container, error) {
	if name == "" && len(t.Containers) == 1 {
		name = t.Containers[0].Name
	}
	i := slices.IndexFunc(t.Containers, func(c model.Container) bool { return c.Name == name })
	switch {
	case name == "":
		return model.Container{}, invalid("The task has more than one container. Specify the name of the container and try again.")
	case i < 0:
		return model.Container{}, invalid("The container provided in the request was not found.")
	case t.Containers[i].LastStatus != model.TaskRunning:
		return model.Container{}, errNoAgent()
	}
	return t.Containers[i], nil
}

// errNoAgent is AWS's answer where no command can be run.
func errNoAgent() error {
	return invalid("The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.")
}

func (s *service) containerDefinition(t model.Task, name string) (model.ContainerDefinition, bool) {
	def, _ := s.ecs.TaskDefinition(t.TaskDefinitionARN)
	i := slices.IndexFunc(def.Containers, func(c model.ContainerDefinition) bool { return c.Name == name })
	if i < 0 {
		return model.ContainerDefinition{}, false
	}
	return def.Containers[i], true
}

// execLogGroup is where the output of a session is kept, "" for nowhere: by the
// container's own log driver, unless the cluster says otherwise
// (API_ExecuteCommandConfiguration, "logging").
func (s *service) execLogGroup(cluster model.Cluster, def model.ContainerDefinition) string {
	own := ""
	if def.Log.Driver == string(types.LogDriverAwslogs) {
		own = def.Log.Options["awslogs-group"]
	}
	if cluster.Configuration == nil {
		return own
	}
	var c types.ClusterConfiguration
	if err := s.records.Decode(cluster.Configuration, &c); err != nil || c.ExecuteCommandConfiguration == nil {
		return own // written by keepConfiguration
	}
	switch x := c.ExecuteCommandConfiguration; x.Logging {
	case types.ExecuteCommandLoggingNone:
		return ""
	case types.ExecuteCommandLoggingOverride:
		if x.LogConfiguration == nil {
			return ""
		}
		return aws.ToString(x.LogConfiguration.CloudWatchLogGroupName)
	default:
		return own
	}
}

// managedAgents are the agents in a container of a task with ECS Exec.
func managedAgents(t model.Task, c model.Container) []types.ManagedAgent {
	if !t.EnableExecuteCommand {
		return nil
	}
	a := types.ManagedAgent{Name: types.ManagedAgentNameExecuteCommandAgent, LastStatus: aws.String(string(c.LastStatus))}
	if c.LastStatus == model.TaskRunning {
		a.LastStartedAt = moment(t.StartedAt)
	}
	return []types.ManagedAgent{a}
}
