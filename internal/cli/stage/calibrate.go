package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Path is what calibration asks the app for: the workshop's computation.
const Path = "/computation"

// Calibration is what a service needs and how fast it starts, measured.
type Calibration struct {
	Demand time.Duration // CPU time of a request, the mean
	CV     float64       // its coefficient of variation
	Start  time.Duration // from the order of a task to its healthy target, the median
	Starts []time.Duration
	Asked  int // requests
}

// What a calibration does: requests one by one, which show how they differ;
// then steady ones that keep a task half busy, which show the mean, as a
// request that comes after a pause costs more than one among others; then
// starts of several tasks at once, as a policy that answers a step orders them:
// each takes longer than one alone.
const (
	loneRequests = 10
	steadyTime   = 20 * time.Second
	steadyShare  = 0.5 // of a task's CPU
	startRounds  = 2
	startsAtOnce = 4
	// requestEvery is long enough that the CPU of one request lies in its own
	// two seconds of the metric, and of no other.
	requestEvery = 2 * time.Second
)

// Calibrate measures a service of its own that it takes away. It takes about a
// minute. told is told what comes next.
func (g *Stage) Calibrate(ctx context.Context, told func(string)) (c Calibration, err error) {
	const name = "calibration"
	if err := g.CreateService(ctx, name, 1); err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, g.DeleteService(context.WithoutCancel(ctx), name)) }()
	if err := g.UntilHealthy(ctx, 1); err != nil {
		return c, err
	}
	if err := g.demand(ctx, name, &c, told); err != nil {
		return c, err
	}
	told(fmt.Sprintf("%d times %d tasks at once", startRounds, startsAtOnce))
	for range startRounds {
		starts, err := g.startSome(ctx, name)
		if err != nil {
			return c, err
		}
		c.Starts = append(c.Starts, starts...)
	}
	c.Start = slices.Sorted(slices.Values(c.Starts))[len(c.Starts)/2]
	return c, nil
}

// startSome takes the times from an order of some tasks beside the first to
// the healthy target of each, and goes back to one.
func (g *Stage) startSome(ctx context.Context, name string) ([]time.Duration, error) {
	began := time.Now()
	if err := g.SetDesired(ctx, name, 1+startsAtOnce); err != nil {
		return nil, err
	}
	var starts []time.Duration
	for n := 2; n <= 1+startsAtOnce; n++ {
		if err := g.UntilHealthy(ctx, n); err != nil {
			return nil, err
		}
		starts = append(starts, time.Since(began))
	}
	if err := g.SetDesired(ctx, name, 1); err != nil {
		return nil, err
	}
	return starts, Until(ctx, "the other tasks to end", time.Minute, 50*time.Millisecond, func(ctx context.Context) (bool, error) {
		n, err := g.Healthy(ctx)
		return n == 1, err
	})
}

// demand reads from the service's own metric what CPU requests have used.
func (g *Stage) demand(ctx context.Context, name string, c *Calibration, told func(string)) error {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	// The first request warms the app up, and is not counted.
	if err := Ask(ctx, client, "http://"+g.Address+Path); err != nil {
		return err
	}
	told(fmt.Sprintf("%d requests, one every %v", loneRequests, requestEvery))
	each, err := g.lone(ctx, client, name)
	if err != nil {
		return err
	}
	mean, cv := moments(each)
	if mean <= 0 {
		return errors.New("requests were answered, but the service's CPU metric shows no use")
	}
	told(fmt.Sprintf("requests that use %g %% of a task, for %v", 100*steadyShare, steadyTime))
	mean, asked, err := g.steady(ctx, client, name, time.Duration(mean/(steadyShare*g.VCPU)*float64(time.Second)))
	c.Demand, c.CV, c.Asked = time.Duration(mean*float64(time.Second)), cv, asked
	return err
}

// lone asks one request at a time and gives the CPU-seconds of each.
func (g *Stage) lone(ctx context.Context, client *http.Client, name string) ([]float64, error) {
	// A request is sent when an odd second begins: the two seconds around it
	// are its own, however the reading's second lies.
	first := time.Now().Truncate(requestEvery).Add(2*requestEvery - time.Second)
	for i := range loneRequests {
		if err := wait(ctx, time.Until(first.Add(time.Duration(i)*requestEvery))); err != nil {
			return nil, err
		}
		if err := Ask(ctx, client, "http://"+g.Address+Path); err != nil {
			return nil, err
		}
	}
	used, err := g.CPUSeconds(ctx, name, first.Add(-time.Second), first.Add(loneRequests*requestEvery-time.Second))
	if err != nil {
		return nil, err
	}
	var each []float64
	for i := 0; i+1 < len(used); i += 2 {
		each = append(each, used[i]+used[i+1])
	}
	return each, nil
}

// steady asks a request every so often and gives the mean CPU-seconds.
func (g *Stage) steady(ctx context.Context, client *http.Client, name string, every time.Duration) (mean float64, asked int, err error) {
	began := time.Now()
	for next := began; next.Before(began.Add(steadyTime)); next = next.Add(every) {
		if err := wait(ctx, time.Until(next)); err != nil {
			return 0, 0, err
		}
		if err := Ask(ctx, client, "http://"+g.Address+Path); err != nil {
			return 0, 0, err
		}
		asked++
	}
	used, err := g.CPUSeconds(ctx, name, began, time.Now().Add(2*time.Second))
	if err != nil {
		return 0, 0, err
	}
	for _, u := range used {
		mean += u / float64(asked)
	}
	return mean, asked, nil
}

// Ask gets a page and drops it; any answer but 200 is an error.
func Ask(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

func moments(v []float64) (mean, cv float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	var sum float64
	for _, x := range v {
		sum += (x - mean) * (x - mean)
	}
	if len(v) < 2 || mean <= 0 {
		return mean, 0
	}
	return mean, math.Sqrt(sum/float64(len(v)-1)) / mean
}

// CPUSeconds returns what a service has used in each second between two moments,
// from AWS/ECS CPUUtilization: a datapoint has a percentage of each task. It
// waits for the last.
func (g *Stage) CPUSeconds(ctx context.Context, name string, from, to time.Time) ([]float64, error) {
	from, to = from.Truncate(time.Second), to.Truncate(time.Second)
	var points []cw.Datapoint
	err := Until(ctx, "the service's CPU metric", 20*time.Second, 250*time.Millisecond, func(ctx context.Context) (bool, error) {
		out, err := g.Metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("AWS/ECS"), MetricName: aws.String("CPUUtilization"),
			Dimensions: []cw.Dimension{
				{Name: aws.String("ClusterName"), Value: aws.String(Cluster)},
				{Name: aws.String("ServiceName"), Value: aws.String(name)},
			},
			StartTime: aws.Time(from), EndTime: aws.Time(to.Add(2 * time.Second)), Period: aws.Int32(1),
			Statistics: []cw.Statistic{cw.StatisticSum},
		})
		if err != nil {
			return false, err
		}
		points = out.Datapoints
		return slices.ContainsFunc(points, func(p cw.Datapoint) bool { return !aws.ToTime(p.Timestamp).Before(to) }), nil
	})
	if err != nil {
		return nil, err
	}
	used := make([]float64, int(to.Sub(from)/time.Second))
	for _, p := range points {
		if i := int(aws.ToTime(p.Timestamp).Sub(from) / time.Second); i >= 0 && i < len(used) {
			used[i] = aws.ToFloat64(p.Sum) / 100 * g.VCPU
		}
	}
	return used, nil
}
