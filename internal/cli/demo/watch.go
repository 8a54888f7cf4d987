package demo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/cli/report"
	"neargate/internal/load"
	"neargate/internal/traffic"
)

// record is what a run leaves.
type record struct {
	run report.Run
}

// backLimit is how long the policy may take to bring the service back after
// the load: its cooldown, the scale-in window, and the draining.
const backLimit = 100 * time.Second

// watcher follows the service through the APIs while the load runs.
type watcher struct {
	*run
	start time.Time
	users traffic.Shape
	tally *tally

	seen       map[string]bool // events and activities shown already
	marks      []report.Mark
	seconds    []report.Second
	peak       int
	activities []scaling.ScalingActivity

	mu           sync.Mutex
	firstHealthy time.Time // when the first task beyond the minimum was healthy
}

// loadAndWatch sends the load, watches until the service is back at its
// minimum, and gives the record. The record is there also when the run broke
// off after the load began.
func (d *run) loadAndWatch(ctx context.Context) (*record, error) {
	users := traffic.RampHold(float64(d.cfg.Users), d.cfg.Ramp, d.cfg.Hold)
	tester, err := load.New(d.loadConfig(users, d.pace))
	if err != nil {
		return nil, err
	}
	w := &watcher{run: d, users: users, seen: map[string]bool{}}
	if err := w.skipThePast(ctx); err != nil {
		return nil, err
	}
	w.start = time.Now()
	w.tally = newTally(w.start)
	w.mark(report.Phase, fmt.Sprintf("load begins: %d users in %v", d.cfg.Users, d.cfg.Ramp), "", w.start)
	d.view.begin(users.Length() + backLimit)

	loadCtx, stopLoad := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer stopLoad()
	var loadErr error
	background.Go(func() { loadErr = tester.Run(loadCtx, w.tally.add) })
	background.Go(func() { w.catchFirstHealthy(loadCtx) })

	watchErr := w.watch(ctx)
	stopLoad()
	background.Wait()
	if loadErr != nil && watchErr == nil {
		watchErr = loadErr
	}
	return w.finish(ctx), watchErr
}

// skipThePast notes the events from before the load as seen.
func (w *watcher) skipThePast(ctx context.Context) error {
	svc, err := w.describe(ctx)
	if err != nil {
		return err
	}
	for _, e := range svc.events {
		w.seen[aws.ToString(e.Id)] = true
	}
	return nil
}

// watch looks every second until the load is over and the service is back.
func (w *watcher) watch(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	loadEnd := w.users.Length()
	ended := false
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		at := time.Since(w.start)
		if !ended && at >= loadEnd {
			ended = true
			w.mark(report.Phase, "load ends", "", w.start.Add(loadEnd))
		}
		s, err := w.look(ctx, at)
		if err != nil {
			return err
		}
		if ended && s.Desired <= w.cfg.Min && s.Running <= w.cfg.Min && s.Draining == 0 {
			return nil
		}
		if at > loadEnd+backLimit {
			return nil // the verdict says that it is not back
		}
	}
}

// look records one second.
func (w *watcher) look(ctx context.Context, at time.Duration) (report.Second, error) {
	svc, err := w.describe(ctx)
	if err != nil {
		return report.Second{}, err
	}
	acts, err := w.aws.scaling.DescribeScalingActivities(ctx, &applicationautoscaling.DescribeScalingActivitiesInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(resource),
		ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
	})
	if err != nil {
		return report.Second{}, err
	}
	w.activities = acts.ScalingActivities
	now := time.Now()
	points, err := w.cpu(ctx, now.Add(-5*time.Second).Truncate(time.Second), now.Truncate(time.Second).Add(time.Second))
	if err != nil {
		return report.Second{}, err
	}
	draining, err := w.draining(ctx)
	if err != nil {
		return report.Second{}, err
	}
	s := report.Second{
		At: at.Truncate(time.Second), Users: w.users.Users(at), CPU: average(points),
		Desired: svc.desired, Running: svc.running, Draining: draining,
	}
	s.Requests, s.Errors, s.P50, s.P99 = w.tally.second(int(at/time.Second) - 1)
	w.peak = max(w.peak, s.Running)
	w.seconds = append(w.seconds, s)
	w.newMarks(svc)
	w.view.update(s, w.tally, at)
	return s, nil
}

type serviceState struct {
	desired, running int
	events           []ecsEvent
}

func (w *watcher) describe(ctx context.Context) (serviceState, error) {
	out, err := w.aws.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{service}})
	if err != nil {
		return serviceState{}, err
	}
	if len(out.Services) != 1 {
		return serviceState{}, errors.New("DescribeServices no longer knows the service")
	}
	s := out.Services[0]
	return serviceState{desired: int(s.DesiredCount), running: int(s.RunningCount), events: s.Events}, nil
}

// draining counts the targets that serve out what they have.
func (w *watcher) draining(ctx context.Context) (int, error) {
	targets, err := w.targets(ctx)
	n := 0
	for _, t := range targets {
		if t == elbtypes.TargetHealthStateEnumDraining {
			n++
		}
	}
	return n, err
}

func (d *run) targets(ctx context.Context) ([]elbtypes.TargetHealthStateEnum, error) {
	out, err := d.aws.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(d.targetGroup)})
	if err != nil {
		return nil, err
	}
	var states []elbtypes.TargetHealthStateEnum
	for _, t := range out.TargetHealthDescriptions {
		states = append(states, t.TargetHealth.State)
	}
	return states, nil
}

func healthy(states []elbtypes.TargetHealthStateEnum) int {
	n := 0
	for _, s := range states {
		if s == elbtypes.TargetHealthStateEnumHealthy {
			n++
		}
	}
	return n
}

// catchFirstHealthy looks every 20 ms for the first target beyond the minimum
// that answers its health check: the end of the first scale-out, as a user
// sees it.
func (w *watcher) catchFirstHealthy(ctx context.Context) {
	limit := w.users.Length()
	err := waitFor(ctx, "a new task to be healthy", limit, 20*time.Millisecond, func(ctx context.Context) (bool, error) {
		states, err := w.targets(ctx)
		return healthy(states) > w.cfg.Min, err
	})
	if err != nil {
		w.log.Debug("no new task became healthy", "error", err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.firstHealthy = time.Now()
}

// newMarks shows and records the events and activities that are new.
func (w *watcher) newMarks(svc serviceState) {
	for _, e := range slices.Backward(svc.events) { // oldest first
		if id := aws.ToString(e.Id); !w.seen[id] {
			w.seen[id] = true
			w.mark(report.Event, aws.ToString(e.Message), "", aws.ToTime(e.CreatedAt))
		}
	}
	for _, a := range slices.Backward(w.activities) {
		if id := aws.ToString(a.ActivityId); !w.seen[id] {
			w.seen[id] = true
			detail := aws.ToString(a.Details)
			if detail == "" {
				detail = aws.ToString(a.Cause)
			}
			w.mark(report.Activity, aws.ToString(a.Description), detail, aws.ToTime(a.StartTime))
		}
	}
}

func (w *watcher) mark(kind report.Kind, text, detail string, at time.Time) {
	m := report.Mark{At: at.Sub(w.start), Kind: kind, Text: text, Detail: detail}
	w.marks = append(w.marks, m)
	w.view.mark(m)
}

func httpStatus(code int) string {
	return strconv.Itoa(code) + " " + http.StatusText(code)
}

// rounded prints milliseconds, or a dash when there is no value.
func rounded(ms float64) string {
	if math.IsNaN(ms) {
		return "-"
	}
	return fmt.Sprintf("%.0f ms", ms)
}
