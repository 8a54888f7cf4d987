package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/bench/rig"
	"neargate/internal/cli/stage"
)

// The policy of every load.
const (
	least    = 1  // tasks
	most     = 8  // tasks
	target   = 50 // percent of CPU
	cooldown = 30 * time.Second
)

// outcome is what came out of a load, measured or simulated.
type outcome struct {
	p50, p99    float64 // seconds
	taskSeconds float64
	orders      int
	requests    int
	failed      int
	cost        float64 // CPU-seconds of a request
	others      float64 // cores that other programs of the machine used, the mean
}

// answer is one request.
type answer struct {
	latency time.Duration
	err     error
}

// replay sends requests at their moments to a service of its own, under the
// policy, and measures.
func (v validation) replay(ctx context.Context, name string, at []float64) (out outcome, err error) {
	if err := v.CreateService(ctx, name, least); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, v.DeleteService(context.WithoutCancel(ctx), name)) }()
	if err := v.UntilHealthy(ctx, least); err != nil {
		return out, err
	}
	if err := v.putPolicy(ctx, name); err != nil {
		return out, err
	}
	if err := warm(ctx, v.Address); err != nil {
		return out, err
	}
	busyBefore, err := machineBusy()
	if err != nil {
		return out, err
	}
	// The server takes its readings when a second of the clock ends, and so
	// does the simulator.
	began := time.Now().Truncate(time.Second).Add(2 * time.Second)
	answers, err := send(ctx, "http://"+v.Address+stage.Path, began, at)
	if err != nil {
		return out, err
	}
	if err := rig.Pause(ctx, time.Until(began.Add(v.length))); err != nil {
		return out, err
	}
	end := began.Add(v.length)
	busyAfter, err := machineBusy()
	if err != nil {
		return out, err
	}
	if err := v.account(ctx, name, began, end, &out); err != nil {
		return out, err
	}
	out.sum(answers)
	used, err := v.CPUSeconds(ctx, name, began, end)
	if err != nil {
		return out, err
	}
	var cpu float64
	for _, u := range used {
		cpu += u
	}
	out.cost = cpu / float64(len(answers))
	out.others = (busyAfter - busyBefore - cpu) / v.length.Seconds()
	return out, nil
}

func (v validation) putPolicy(ctx context.Context, name string) error {
	id := aws.String("service/" + rig.Cluster + "/" + name)
	_, err := v.Scaling.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: aas.ServiceNamespaceEcs, ResourceId: id, ScalableDimension: aas.ScalableDimensionECSServiceDesiredCount,
		MinCapacity: aws.Int32(least), MaxCapacity: aws.Int32(most),
	})
	if err != nil {
		return err
	}
	seconds := aws.Int32(int32(cooldown.Seconds()))
	_, err = v.Scaling.PutScalingPolicy(ctx, &applicationautoscaling.PutScalingPolicyInput{
		ServiceNamespace: aas.ServiceNamespaceEcs, ResourceId: id, ScalableDimension: aas.ScalableDimensionECSServiceDesiredCount,
		PolicyName: aws.String("cpu"), PolicyType: aas.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &aas.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(target), ScaleOutCooldown: seconds, ScaleInCooldown: seconds,
			PredefinedMetricSpecification: &aas.PredefinedMetricSpecification{PredefinedMetricType: aas.MetricTypeECSServiceAverageCPUUtilization},
		},
	})
	return err
}

// warm sends the requests by which the app's first task warms up.
func warm(ctx context.Context, address string) error {
	answers, err := send(ctx, "http://"+address+stage.Path, time.Now(), []float64{0, 0.3, 0.6})
	for _, a := range answers {
		err = errors.Join(err, a.err)
	}
	if err != nil {
		return err
	}
	return rig.Pause(ctx, 2*time.Second)
}

// send asks at each moment, whatever has become of the requests before, and
// counts the latency from the moment on.
func send(ctx context.Context, url string, began time.Time, at []float64) ([]answer, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 2 * time.Minute}
	answers := make([]answer, len(at))
	var asking sync.WaitGroup
	defer asking.Wait()
	for i, x := range at {
		planned := began.Add(time.Duration(x * float64(time.Second)))
		if err := rig.Pause(ctx, time.Until(planned)); err != nil {
			return nil, err
		}
		asking.Go(func() {
			err := stage.Ask(ctx, client, url)
			answers[i] = answer{time.Since(planned), err}
		})
	}
	asking.Wait()
	return answers, ctx.Err()
}

func (out *outcome) sum(answers []answer) {
	var latencies []time.Duration
	for _, a := range answers {
		if a.err != nil {
			out.failed++
			continue
		}
		latencies = append(latencies, a.latency)
	}
	slices.Sort(latencies)
	rank := func(p float64) float64 {
		if len(latencies) == 0 {
			return math.NaN()
		}
		return latencies[int(math.Ceil(p*float64(len(latencies))))-1].Seconds()
	}
	out.requests, out.p50, out.p99 = len(answers), rank(0.5), rank(0.99)
}

// account sums the time of all tasks from order to end within the load, and
// counts the orders.
func (v validation) account(ctx context.Context, name string, began, end time.Time, out *outcome) error {
	var arns []string
	for _, status := range []ecstypes.DesiredStatus{ecstypes.DesiredStatusRunning, ecstypes.DesiredStatusStopped} {
		l, err := v.ECS.ListTasks(ctx, &ecs.ListTasksInput{Cluster: aws.String(rig.Cluster), ServiceName: aws.String(name), DesiredStatus: status})
		if err != nil {
			return err
		}
		arns = append(arns, l.TaskArns...)
	}
	if len(arns) == 0 || len(arns) > 100 {
		return fmt.Errorf("%d tasks, want 1 to 100", len(arns))
	}
	d, err := v.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(rig.Cluster), Tasks: arns})
	if err != nil {
		return err
	}
	for _, t := range d.Tasks {
		from, to := aws.ToTime(t.CreatedAt), end
		if t.StoppedAt != nil && t.StoppedAt.Before(end) {
			to = *t.StoppedAt
		}
		if t.StartedAt != nil && from.After(began) {
			fmt.Fprintf(v.w, "  %6.1f s  a task ordered, running after %.2f s\n", from.Sub(began).Seconds(), t.StartedAt.Sub(from).Seconds())
		}
		if from.Before(began) {
			from = began
		}
		out.taskSeconds += max(to.Sub(from), 0).Seconds()
	}
	a, err := v.Scaling.DescribeScalingActivities(ctx, &applicationautoscaling.DescribeScalingActivitiesInput{
		ServiceNamespace: aas.ServiceNamespaceEcs, ResourceId: aws.String("service/" + rig.Cluster + "/" + name),
	})
	if err != nil {
		return err
	}
	for _, x := range a.ScalingActivities {
		at := aws.ToTime(x.StartTime)
		fmt.Fprintf(v.w, "  %6.1f s  %s %s\n", at.Sub(began).Seconds(), aws.ToString(x.Description), aws.ToString(x.Details))
		if !at.Before(began) && at.Before(end) {
			out.orders++
		}
	}
	return nil
}

// machineBusy is the CPU time that all programs of the machine have used, in
// core-seconds.
func machineBusy() (float64, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read CPU time: %w", err)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	fields := strings.Fields(first) // cpu user nice system idle iowait irq softirq steal …
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("read CPU time: %q", first)
	}
	var ticks float64
	for i, f := range fields[1:9] {
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, fmt.Errorf("read CPU time: %w", err)
		}
		if i != 3 && i != 4 { // idle, iowait
			ticks += n
		}
	}
	const perSecond = 100 // USER_HZ, on all Linux platforms that Go runs on
	return ticks / perSecond, nil
}

func cores() int { return runtime.NumCPU() }
