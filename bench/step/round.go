package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"neargate/bench/rig"
	"neargate/internal/load"
)

// settleLimit is how long after the step the service may take to have what it
// needs, healthy.
const settleLimit = 15 * time.Second

// stepResult is what one step led to. Times are zero when it did not happen.
type stepResult struct {
	order   time.Duration // from the step to the first order
	early   int           // orders before the step: the light load needed none
	orders  int           // from the step until the need was reached
	counts  []int         // desired counts, order by order
	first   time.Duration // from the first order to the first new healthy task
	all     time.Duration // from the first order until as many as needed are healthy
	reached bool          // that the need was
	failed  int           // requests
	slowest time.Duration // request
}

func (r stepResult) String() string {
	s := fmt.Sprintf("first order %s after the step (to %v tasks), first new task healthy %s after the order, as many as needed %s",
		seconds(r.order), r.counts, seconds(r.first), seconds(r.all))
	if !r.reached {
		s += fmt.Sprintf("; the need was not reached in %v", settleLimit)
	}
	if r.early > 0 {
		s += fmt.Sprintf("; %d orders before the step", r.early)
	}
	return fmt.Sprintf("%s; %d requests failed, the slowest took %s", s, r.failed, seconds(r.slowest))
}

// step puts the light load on a fresh service, then the step, and watches.
func (b bench) step(ctx context.Context, name string, p plan) (r stepResult, err error) {
	if err := b.CreateService(ctx, name, least); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.endService(ctx, name)) }()
	if err := b.UntilHealthy(ctx, least); err != nil {
		return r, err
	}
	if err := b.putPolicy(ctx, name); err != nil {
		return r, err
	}
	users, at := p.shape(settleLimit)
	tester, err := load.New(load.Config{URL: "http://" + b.Address + path, Users: users, Pace: pace})
	if err != nil {
		return r, err
	}
	loadCtx, stop := context.WithCancel(ctx)
	var sending sync.WaitGroup
	defer sending.Wait()
	defer stop()
	var mu sync.Mutex // guards failed and slowest
	began := time.Now()
	sending.Go(func() {
		// It ends by stop, or with the shape: both are fine.
		_ = tester.Run(loadCtx, func(res load.Result) {
			mu.Lock()
			defer mu.Unlock()
			if res.Failed() {
				r.failed++
			}
			r.slowest = max(r.slowest, res.Latency())
		})
	})
	step := began.Add(at)
	seen, err := b.watch(ctx, name, step, p.need())
	stop()
	sending.Wait()
	if err != nil {
		return r, err
	}
	acts, err := b.activities(ctx, name)
	if err != nil {
		return r, err
	}
	r.judge(step, p.need(), acts, seen)
	return r, nil
}

// sight is when target health showed how many tasks.
type sight struct {
	at time.Time
	n  int
}

// watch records each change of the number of healthy targets from the step on,
// until the service has what it needs or settleLimit has passed.
func (b bench) watch(ctx context.Context, name string, step time.Time, need int) ([]sight, error) {
	if err := rig.Pause(ctx, time.Until(step)); err != nil {
		return nil, err
	}
	var seen []sight
	err := rig.Until(ctx, name, 2*settleLimit, 10*time.Millisecond, func(ctx context.Context) (bool, error) {
		n, err := b.Healthy(ctx)
		if err != nil {
			return false, err
		}
		now := time.Now()
		if len(seen) == 0 || seen[len(seen)-1].n != n {
			seen = append(seen, sight{now, n})
		}
		return n >= need || now.After(step.Add(settleLimit)), nil
	})
	return seen, err
}

// order is a scaling activity that was carried out.
type order struct {
	at      time.Time
	desired int
}

// judge computes the figures of what was seen.
func (r *stepResult) judge(step time.Time, need int, orders []order, seen []sight) {
	from := least // healthy tasks before the first order
	var first time.Time
	for _, o := range orders {
		if o.at.Before(step) {
			r.early++
			from = o.desired
			continue
		}
		if first.IsZero() {
			first = o.at
			r.order = o.at.Sub(step)
		}
		if !r.reached {
			r.orders++
		}
		r.counts = append(r.counts, o.desired)
		r.reached = r.reached || o.desired >= need
	}
	for _, s := range seen {
		if s.n > from && r.first == 0 {
			r.first = s.at.Sub(first)
		}
		if s.n >= need && r.all == 0 {
			r.all = s.at.Sub(first)
		}
	}
}

// activities returns the scaling activities of a service, oldest first.
func (b bench) activities(ctx context.Context, name string) ([]order, error) {
	out, err := b.Scaling.DescribeScalingActivities(ctx, &applicationautoscaling.DescribeScalingActivitiesInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(resource(name)),
		ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
	})
	if err != nil {
		return nil, err
	}
	var orders []order
	for _, a := range out.ScalingActivities {
		var n int
		if _, err := fmt.Sscanf(aws.ToString(a.Description), "Setting desired count to %d.", &n); err != nil {
			return nil, fmt.Errorf("scaling activity %q: %w", aws.ToString(a.Description), err)
		}
		if a.StatusCode != scaling.ScalingActivityStatusCodeFailed {
			orders = append(orders, order{aws.ToTime(a.StartTime), n})
		}
	}
	slices.SortFunc(orders, func(a, b order) int { return a.at.Compare(b.at) })
	return orders, nil
}

func resource(service string) string { return "service/" + rig.Cluster + "/" + service }

func (b bench) putPolicy(ctx context.Context, name string) error {
	_, err := b.Scaling.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(resource(name)),
		ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
		MinCapacity:       aws.Int32(least), MaxCapacity: aws.Int32(most),
	})
	if err != nil {
		return err
	}
	_, err = b.Scaling.PutScalingPolicy(ctx, &applicationautoscaling.PutScalingPolicyInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(resource(name)),
		ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
		PolicyName:        aws.String("cpu"), PolicyType: scaling.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &scaling.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(target),
			PredefinedMetricSpecification: &scaling.PredefinedMetricSpecification{
				PredefinedMetricType: scaling.MetricTypeECSServiceAverageCPUUtilization,
			},
		},
	})
	return err
}

// endService takes the policy and the service away.
func (b bench) endService(ctx context.Context, name string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx) // the server goes with all that it has
	}
	_, err := b.Scaling.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(resource(name)),
		ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
	})
	if _, ok := errors.AsType[*scaling.ObjectNotFoundException](err); ok {
		err = nil // a round that broke off before
	}
	return errors.Join(err, b.DeleteService(ctx, name))
}

// burst takes the time from one order for many tasks until all are healthy.
func (b bench) burst(ctx context.Context, name string, tasks int) (time.Duration, error) {
	if err := b.CreateService(ctx, name, 0); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := b.SetDesired(ctx, name, tasks); err != nil {
		return 0, err
	}
	if err := b.UntilHealthy(ctx, tasks); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, b.DeleteService(ctx, name)
}
