package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/bench/rig"
	"neargate/internal/load"
	"neargate/internal/traffic"
)

const (
	path = "/computation"
	// target is the CPU percent that the policy aims at.
	target = 50
	least  = 1  // tasks
	most   = 20 // tasks
	// light is the load before the step, as a share of what one task carries
	// at the target.
	light = 0.8
	// needs is how many tasks the step needs where the machine can carry it;
	// the load lies half a task below, so that no rounding decides.
	needs = 8
	// share is how much of the machine's cores the step may take: the rest is
	// for the load tester, the balancer and the server.
	share = 0.47
	// pace is the time between two requests of a user. Users come evenly over
	// one pace, so that from then on requests do.
	pace = 5 * time.Second
	// calm is how long the light load stands before the step.
	calm = 10 * time.Second
	// calibration is how long one user keeps the service busy to learn what a
	// request costs.
	calibration = 3 * time.Second
)

// plan is the load of a step.
type plan struct {
	cost          time.Duration // of one request, CPU
	before, after float64       // vCPU
}

func newPlan(cost time.Duration) plan {
	task := rig.TaskVCPU * target / 100
	return plan{cost, light * task, min((needs-0.5)*task, share*float64(runtime.NumCPU()))}
}

// need is how many tasks carry the load at the target.
func (p plan) need() int { return int(math.Ceil(p.after / (rig.TaskVCPU * target / 100))) }

// users is how many paced users cause a load.
func (p plan) users(vcpu float64) float64 { return vcpu / p.cost.Seconds() * pace.Seconds() }

func (p plan) rate(vcpu float64) float64 { return vcpu / p.cost.Seconds() }

// shape is the light load, and from its second return value on the step, for
// the time given.
func (p plan) shape(hold time.Duration) (traffic.Shape, time.Duration) {
	b, a := math.Round(p.users(p.before)), math.Round(p.users(p.after))
	return traffic.Shape{
		{For: pace, To: b},
		{For: calm, From: b, To: b},
		{For: pace, From: b, To: a},
		{For: hold, From: a, To: a},
	}, pace + calm
}

func (p plan) String() string {
	return fmt.Sprintf("one request costs %.1f ms of CPU; the load steps from %.2f vCPU (%.1f requests/s) to %.2f vCPU (%.1f requests/s), which needs %d tasks of %.2f vCPU at %d %%",
		p.cost.Seconds()*1000, p.before, p.rate(p.before), p.after, p.rate(p.after), p.need(), rig.TaskVCPU, target)
}

// calibrate learns what a request costs from the service's own CPU metric.
func (b bench) calibrate(ctx context.Context) (plan, error) {
	const name = "calibration"
	if err := b.CreateService(ctx, name, least); err != nil {
		return plan{}, err
	}
	if err := b.UntilHealthy(ctx, least); err != nil {
		return plan{}, err
	}
	tester, err := load.New(load.Config{URL: "http://" + b.Address + path, Users: traffic.RampHold(1, 0, calibration)})
	if err != nil {
		return plan{}, err
	}
	var answered, failed atomic.Int64
	began := time.Now()
	err = tester.Run(ctx, func(r load.Result) {
		if r.Failed() {
			failed.Add(1)
		} else {
			answered.Add(1)
		}
	})
	if err != nil {
		return plan{}, err
	}
	if failed.Load() > 0 || answered.Load() == 0 {
		return plan{}, fmt.Errorf("%d requests were answered, %d failed", answered.Load(), failed.Load())
	}
	used, err := b.cpuSeconds(ctx, name, began, time.Now())
	if err != nil {
		return plan{}, err
	}
	if used <= 0 {
		return plan{}, errors.New("the service's CPU metric shows no use")
	}
	return newPlan(time.Duration(used / float64(answered.Load()) * float64(time.Second))), b.DeleteService(ctx, name)
}

// cpuSeconds sums AWS/ECS CPUUtilization of a service of one task over the
// seconds between two moments. It waits for the last of them.
func (b bench) cpuSeconds(ctx context.Context, service string, from, to time.Time) (float64, error) {
	var points []cw.Datapoint
	end := to.Truncate(time.Second).Add(time.Second)
	err := rig.Until(ctx, "the service's CPU metric", 15*time.Second, 250*time.Millisecond, func(ctx context.Context) (bool, error) {
		out, err := b.Metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("AWS/ECS"), MetricName: aws.String("CPUUtilization"),
			Dimensions: []cw.Dimension{
				{Name: aws.String("ClusterName"), Value: aws.String(rig.Cluster)},
				{Name: aws.String("ServiceName"), Value: aws.String(service)},
			},
			StartTime: aws.Time(from.Truncate(time.Second)), EndTime: aws.Time(end.Add(time.Second)), Period: aws.Int32(1),
			Statistics: []cw.Statistic{cw.StatisticSum},
		})
		if err != nil {
			return false, err
		}
		points = out.Datapoints
		for _, p := range points {
			if !aws.ToTime(p.Timestamp).Before(end) {
				return true, nil
			}
		}
		return false, nil
	})
	var sum float64
	for _, p := range points {
		sum += aws.ToFloat64(p.Sum) / 100 * rig.TaskVCPU
	}
	return sum, err
}
