package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/bench/rig"
)

const (
	limit = time.Minute
	step  = 2 * time.Millisecond
)

// order runs a task until it answers, stops it, and returns how long the answer
// took. It looks often: the pause is part of the figure.
func (b *bench) order(ctx context.Context, kind string) (took time.Duration, err error) {
	began := time.Now()
	run, err := b.ecs.RunTask(ctx, &ecs.RunTaskInput{
		TaskDefinition: aws.String(kind), LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{b.subnet}}},
	})
	if err != nil {
		return 0, err
	}
	if len(run.Failures) > 0 {
		return 0, fmt.Errorf("it was not placed: %s", *run.Failures[0].Reason)
	}
	arn, address := *run.Tasks[0].TaskArn, ""
	err = rig.Until(ctx, "the task to answer", limit, step, func(ctx context.Context) (bool, error) {
		if address == "" {
			if address, err = b.address(ctx, arn); err != nil || address == "" {
				return false, err
			}
		}
		return answers(ctx, address), nil
	})
	took = time.Since(began)
	return took, errors.Join(err, b.stop(ctx, arn))
}

// address returns where a task is, or "" as long as that is not known.
func (b *bench) address(ctx context.Context, arn string) (string, error) {
	t, err := b.task(ctx, arn)
	if err != nil {
		return "", err
	}
	if t.StoppedReason != nil {
		return "", errors.New(*t.StoppedReason)
	}
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if *d.Name == "privateIPv4Address" {
				return net.JoinHostPort(*d.Value, "8080"), nil
			}
		}
	}
	return "", nil
}

func (b *bench) task(ctx context.Context, arn string) (types.Task, error) {
	out, err := b.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: []string{arn}})
	if err != nil {
		return types.Task{}, err
	}
	if len(out.Tasks) == 0 {
		return types.Task{}, fmt.Errorf("%s is not known", arn)
	}
	return out.Tasks[0], nil
}

func answers(ctx context.Context, address string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, nil)
	if err != nil {
		return false
	}
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil
}

// stop stops a task, so that the next one has the machine for itself.
func (b *bench) stop(ctx context.Context, arn string) error {
	ctx = context.WithoutCancel(ctx)
	if _, err := b.ecs.StopTask(ctx, &ecs.StopTaskInput{Task: &arn}); err != nil {
		return err
	}
	return rig.Until(ctx, "the task to stop", limit, 10*step, func(ctx context.Context) (bool, error) {
		t, err := b.task(ctx, arn)
		return err == nil && *t.LastStatus == "STOPPED", err
	})
}
