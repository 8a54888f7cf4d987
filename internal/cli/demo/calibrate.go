package demo

import (
	"context"
	"fmt"
	"math"
	"net"
	"runtime"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/load"
	"neargate/internal/traffic"
)

const (
	path = "/computation"
	// calibration is how long the service is kept busy to learn what one
	// request costs.
	calibration = 3 * time.Second
	// share is how much of the machine's cores the tasks may take at the
	// peak: the rest is for the load tester, the balancer and the server.
	share = 0.45
	// room is how much of what the policy's maximum can carry the load uses.
	room = 0.9
)

// calibrate measures what one request costs, by the service's own CPU metric
// over a short load, and chooses the pace of the users so that the peak fits
// the machine and the policy.
func (d *run) calibrate(ctx context.Context) (string, error) {
	begin := time.Now()
	seen := newTally(begin)
	tester, err := load.New(d.loadConfig(traffic.RampHold(float64(d.cfg.Min), 0, calibration), 0))
	if err != nil {
		return "", err
	}
	err = tester.Run(ctx, seen.add)
	if err != nil {
		return "", err
	}
	done, failed, first, _, _ := seen.totals()
	if done == 0 || failed > 0 {
		return "", fmt.Errorf("%d of %d requests to %s failed, the first with: %s", failed, done, d.url(path), first)
	}
	used, err := d.cpuSeconds(ctx, begin, time.Now())
	if err != nil {
		return "", err
	}
	d.cost = time.Duration(used / float64(done) * float64(time.Second))
	if d.cost <= 0 {
		return "", fmt.Errorf("%d requests were answered, but the service's CPU metric shows no use", done)
	}
	peak := min(share*float64(runtime.NumCPU()), room*float64(d.cfg.Max)*d.cfg.Target/100*d.cfg.taskVCPU())
	d.pace = time.Duration(float64(d.cfg.Users) * d.cost.Seconds() / peak * float64(time.Second)).Round(10 * time.Millisecond)
	rate := float64(d.cfg.Users) / d.pace.Seconds()
	return fmt.Sprintf("one request costs %.0f ms of CPU; %d users, one request each every %.2f s, are %.0f requests/s = %.2f vCPU, which needs %d tasks",
		float64(d.cost)/1e6, d.cfg.Users, d.pace.Seconds(), rate, peak, d.cfg.need(peak)), nil
}

func (d *run) loadConfig(users traffic.Shape, pace time.Duration) load.Config {
	return load.Config{
		URL:   d.url(path),
		Roots: d.roots,
		Dial:  net.JoinHostPort(d.address, strconv.Itoa(int(d.listenerPort))),
		Users: users, Pace: pace,
	}
}

// cpuSeconds sums AWS/ECS CPUUtilization over the seconds between two moments.
// A second's datapoint appears soon after the second, so it waits for the last.
func (d *run) cpuSeconds(ctx context.Context, from, to time.Time) (float64, error) {
	var points []cw.Datapoint
	end := to.Truncate(time.Second).Add(time.Second)
	err := waitFor(ctx, "the service's CPU metric", 15*time.Second, 250*time.Millisecond, func(ctx context.Context) (bool, error) {
		var err error
		points, err = d.cpu(ctx, from.Truncate(time.Second), end.Add(time.Second))
		for _, p := range points {
			if !aws.ToTime(p.Timestamp).Before(end) {
				return true, err
			}
		}
		return false, err
	})
	if err != nil {
		return 0, err
	}
	var sum float64
	for _, p := range points {
		sum += aws.ToFloat64(p.Sum) / 100 * d.cfg.taskVCPU() // one percent value a task
	}
	return sum, nil
}

// cpu reads AWS/ECS CPUUtilization of the service by the second.
func (d *run) cpu(ctx context.Context, from, to time.Time) ([]cw.Datapoint, error) {
	out, err := d.aws.metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/ECS"), MetricName: aws.String("CPUUtilization"),
		Dimensions: []cw.Dimension{
			{Name: aws.String("ClusterName"), Value: aws.String(cluster)},
			{Name: aws.String("ServiceName"), Value: aws.String(service)},
		},
		StartTime: aws.Time(from), EndTime: aws.Time(to), Period: aws.Int32(1),
		Statistics: []cw.Statistic{cw.StatisticSum, cw.StatisticAverage},
	})
	if err != nil {
		return nil, err
	}
	return out.Datapoints, nil
}

// average returns the mean utilisation of the newest second that has one.
func average(points []cw.Datapoint) float64 {
	newest, cpu := time.Time{}, math.NaN()
	for _, p := range points {
		if at := aws.ToTime(p.Timestamp); at.After(newest) {
			newest, cpu = at, aws.ToFloat64(p.Average)
		}
	}
	return cpu
}
