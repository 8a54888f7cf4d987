package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/bench/rig"
)

// What a rollback is by.
const (
	byOrder = "StopServiceDeployment"
	byAlarm = "an alarm"
)

const (
	service = "web"
	alarm   = "errors"
	limit   = time.Minute
	step    = 20 * time.Millisecond
	// quiet is how long no answer of the new revision may come until the last one
	// was the last.
	quiet = 2 * time.Second
	// enough answers of the new revision show that it has traffic.
	enough = 50
)

// strategies are those that shift traffic, which wait for ever once the new
// revision has some.
func strategies() []*types.DeploymentConfiguration {
	long, none := aws.Int32(1440), aws.Int32(0)
	all := []*types.DeploymentConfiguration{
		{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: long},
		{Strategy: types.DeploymentStrategyLinear, BakeTimeInMinutes: none, LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(50), StepBakeTimeInMinutes: long}},
		{Strategy: types.DeploymentStrategyCanary, BakeTimeInMinutes: none, CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(10), CanaryBakeTimeInMinutes: long}},
	}
	for _, c := range all {
		c.Alarms = &types.DeploymentAlarms{AlarmNames: []string{alarm}, Enable: true, Rollback: true}
	}
	return all
}

// rollback deploys the new revision, has that called back when it has traffic,
// and returns how long it answered after that.
func (b *bench) rollback(ctx context.Context, l *load, config *types.DeploymentConfiguration, by string) (time.Duration, error) {
	before, _ := l.news()
	_, err := b.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String(service), TaskDefinition: aws.String(newRevision), DeploymentConfiguration: config})
	if err != nil {
		return 0, err
	}
	err = rig.Until(ctx, "the new revision to answer", limit, step, func(context.Context) (bool, error) {
		n, _ := l.news()
		return n >= before+enough, nil
	})
	if err != nil {
		return 0, err
	}
	d, err := b.latest(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := b.callBack(ctx, by, d.ServiceDeploymentArn); err != nil {
		return 0, err
	}
	var last time.Time
	err = rig.Until(ctx, "the new revision to answer no more", limit, step, func(context.Context) (bool, error) {
		_, last = l.news()
		return time.Since(last) > quiet, nil
	})
	if err != nil {
		return 0, err
	}
	return max(0, last.Sub(began)), b.rolledBack(ctx)
}

// callBack has a deployment roll back.
func (b *bench) callBack(ctx context.Context, by string, arn *string) error {
	if by == byAlarm {
		return b.setAlarm(ctx, cw.StateValueAlarm)
	}
	_, err := b.ecs.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: arn, StopType: types.StopServiceDeploymentStopTypeRollback})
	return err
}

func (b *bench) setAlarm(ctx context.Context, to cw.StateValue) error {
	_, err := b.metrics.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String(alarm), StateValue: to, StateReason: aws.String("bench")})
	return err
}

// rolledBack waits until the rollback has ended, and takes the alarm back.
func (b *bench) rolledBack(ctx context.Context) error {
	err := b.until(ctx, types.ServiceDeploymentStatusRollbackSuccessful)
	return errors.Join(err, b.setAlarm(ctx, cw.StateValueOk))
}

// until waits for the newest deployment's status.
func (b *bench) until(ctx context.Context, status types.ServiceDeploymentStatus) error {
	return rig.Until(ctx, "a deployment to be "+string(status), limit, step, func(ctx context.Context) (bool, error) {
		d, err := b.latest(ctx)
		return err == nil && d.Status == status, err
	})
}

// latest returns the newest deployment of the service.
func (b *bench) latest(ctx context.Context) (d types.ServiceDeployment, err error) {
	list, err := b.ecs.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Service: aws.String(service), MaxResults: aws.Int32(1)})
	if err != nil {
		return d, err
	}
	if len(list.ServiceDeployments) == 0 {
		return d, nil // it has not begun
	}
	out, err := b.ecs.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*list.ServiceDeployments[0].ServiceDeploymentArn}})
	if err != nil {
		return d, err
	}
	if len(out.ServiceDeployments) == 0 {
		return d, fmt.Errorf("%s is not known", *list.ServiceDeployments[0].ServiceDeploymentArn)
	}
	return out.ServiceDeployments[0], nil
}
