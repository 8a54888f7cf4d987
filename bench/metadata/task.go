package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"neargate/bench/rig"
	"neargate/internal/cli/demo"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// startCaller runs this program in a task with a role, and returns where it
// listens.
func startCaller(ctx context.Context, s *rig.Server) (address string, err error) {
	cfg := s.Config()
	image, err := s.PushProgram(ctx, "caller")
	if err != nil {
		return "", err
	}
	role, err := iam.NewFromConfig(cfg).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("caller"), AssumeRolePolicyDocument: aws.String(trust)})
	if err != nil {
		return "", err
	}
	network, err := demo.FindNetwork(ctx, demo.Server{Endpoint: s.Endpoint, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey})
	if err != nil {
		return "", err
	}
	c := ecs.NewFromConfig(cfg)
	if _, err := c.CreateCluster(ctx, &ecs.CreateClusterInput{}); err != nil {
		return "", err
	}
	_, err = c.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("caller"), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("2048"), Memory: aws.String("4096"), TaskRoleArn: role.Role.Arn,
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("caller"), Image: &image, EntryPoint: []string{rig.Program, callerArgument}}},
	})
	if err != nil {
		return "", err
	}
	run, err := c.RunTask(ctx, &ecs.RunTaskInput{
		TaskDefinition: aws.String("caller"), LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: network.Subnets[:1]}},
	})
	if err != nil {
		return "", err
	}
	if len(run.Failures) > 0 {
		return "", fmt.Errorf("the task was not placed: %s", *run.Failures[0].Reason)
	}
	err = rig.Until(ctx, "the task to run", time.Minute, 20*time.Millisecond, func(ctx context.Context) (bool, error) {
		out, err := c.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: []string{*run.Tasks[0].TaskArn}})
		if err != nil {
			return false, err
		}
		for _, d := range out.Tasks[0].Attachments[0].Details {
			if *d.Name == "privateIPv4Address" {
				address = *d.Value + ":8080"
			}
		}
		return *out.Tasks[0].LastStatus == "RUNNING", nil
	})
	return address, err
}
