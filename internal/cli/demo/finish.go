package demo

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/cli/report"
)

type ecsEvent = ecstypes.ServiceEvent

// finish completes the record of the run from what was seen.
func (w *watcher) finish(ctx context.Context) *record {
	slices.SortStableFunc(w.marks, func(a, b report.Mark) int { return cmp.Compare(a.At, b.At) })
	run := report.Run{
		Title: "Load testing " + service, Started: w.start, Length: time.Since(w.start),
		Target: w.cfg.Target, Min: w.cfg.Min, Max: w.cfg.Max,
		Seconds: w.seconds, Marks: w.marks,
		Setting: w.setting(),
	}
	requests, failures, first, p50, p99 := w.tally.totals()
	order := w.firstOrder()
	run.Summary = []report.Pair{
		{Name: "load to first scaling order", Value: since(w.start, order)},
		{Name: "order to the new task's first healthy answer", Value: since(order, w.healthyAt())},
		{Name: "peak tasks", Value: fmt.Sprint(w.peak)},
		{Name: "requests", Value: fmt.Sprint(requests)},
		{Name: "failed", Value: fmt.Sprint(failures)},
		{Name: "p50 / p99", Value: rounded(p50) + " / " + rounded(p99)},
		{Name: "task-seconds", Value: w.taskSeconds(ctx)},
	}
	run.Verdict, run.Passed = w.verdict(requests, failures, first)
	return &record{run: run}
}

func (w *watcher) setting() []report.Pair {
	return []report.Pair{
		{Name: "service", Value: fmt.Sprintf("%s, %d CPU units and %d MiB a task", service, w.cfg.CPU, memoryOf(w.cfg.CPU))},
		{Name: "policy", Value: fmt.Sprintf("target tracking, CPU %g %%, %d to %d tasks, cooldowns 30 s", w.cfg.Target, w.cfg.Min, w.cfg.Max)},
		{Name: "load", Value: fmt.Sprintf("%d users on %s, a request each every %.2f s; %v ramp, %v hold", w.cfg.Users, path, w.pace.Seconds(), w.cfg.Ramp, w.cfg.Hold)},
		{Name: "cost of a request", Value: fmt.Sprintf("%.0f ms of CPU", float64(w.cost)/1e6)},
		{Name: "machine", Value: fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)},
	}
}

func since(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return "did not happen"
	}
	return fmt.Sprintf("%.2f s", to.Sub(from).Seconds())
}

// firstOrder is when the first scaling activity of the load began.
func (w *watcher) firstOrder() time.Time {
	var first time.Time
	for _, a := range w.activities {
		at := aws.ToTime(a.StartTime)
		if a.StatusCode != scaling.ScalingActivityStatusCodeFailed && at.After(w.start) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

func (w *watcher) healthyAt() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.firstHealthy
}

// verdict reports whether the run showed what it should, or the first thing that
// it did not.
func (w *watcher) verdict(requests, failures int, first string) (string, bool) {
	last := report.Second{}
	if n := len(w.seconds); n > 0 {
		last = w.seconds[n-1]
	}
	switch {
	case failures > 0:
		return fmt.Sprintf("%d of %d requests failed, the first with: %s", failures, requests, first), false
	case requests == 0:
		return "no request was answered", false
	case w.peak <= w.cfg.Min:
		return fmt.Sprintf("the policy did not scale out above %d tasks", w.cfg.Min), false
	case last.Desired > w.cfg.Min || last.Running > w.cfg.Min:
		return fmt.Sprintf("%v after the load the service still has %d tasks (desired %d), not %d",
			backLimit, last.Running, last.Desired, w.cfg.Min), false
	}
	return fmt.Sprintf("scaled out from %d to %d tasks and back, no request failed", w.cfg.Min, w.peak), true
}

// taskSeconds sums how long tasks existed during the run.
func (w *watcher) taskSeconds(ctx context.Context) string {
	end := time.Now()
	var sum time.Duration
	for _, status := range []ecstypes.DesiredStatus{ecstypes.DesiredStatusRunning, ecstypes.DesiredStatusStopped} {
		pages := ecs.NewListTasksPaginator(w.aws.ecs, &ecs.ListTasksInput{
			Cluster: aws.String(cluster), ServiceName: aws.String(service), DesiredStatus: status,
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return "unknown: " + err.Error()
			}
			if len(page.TaskArns) == 0 {
				continue
			}
			tasks, err := w.aws.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(cluster), Tasks: page.TaskArns})
			if err != nil {
				return "unknown: " + err.Error()
			}
			for _, t := range tasks.Tasks {
				sum += overlap(w.start, end, aws.ToTime(t.CreatedAt), aws.ToTime(t.StoppedAt))
			}
		}
	}
	return fmt.Sprintf("%.0f", sum.Seconds())
}

// overlap is how much of from..to a task lived through; a zero end lives on.
func overlap(from, to, created, stopped time.Time) time.Duration {
	if created.After(from) {
		from = created
	}
	if !stopped.IsZero() && stopped.Before(to) {
		to = stopped
	}
	return max(to.Sub(from), 0)
}
