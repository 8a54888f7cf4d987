package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"neargate/internal/cli/simulate"
	"neargate/internal/traffic"
)

func simulateCommand() *cobra.Command {
	cfg, calibrated := simulate.Default(), false
	cmd := &cobra.Command{
		Use: "simulate", Short: "Try scaling policies on a load, in virtual time", Args: noArgs,
		Long: `Run scaling policies over a recorded or made-up load in virtual time, by the
server's own decisions, and put them side by side: what they cost, how many
requests were late, how often they moved. The same seed gives the same output.

A load file has one number a line (requests in each second), or the columns
time,rate: the time in seconds, as RFC 3339 or as "2006-01-02 15:04:05"; the name
of the second column gives its unit (requests_per_second, requests_per_minute,
or requests for a count of the interval).

A policy file is the JSON of PutScalingPolicy as the AWS CLI takes it, or of its
TargetTrackingScalingPolicyConfiguration alone; in a list with it there may be
that of RegisterScalableTarget, for the bounds, other policies, scheduled actions
as PutScheduledAction, and the alarms of step policies as PutMetricAlarm. Without
--policy it is CPU at 50 % with cooldowns of 30 s.

Customized metrics, metric math too, and alarms may be on what is simulated:
CPUUtilization of AWS/ECS; RequestCount, RequestCountPerTarget, HealthyHostCount
and TargetResponseTime of AWS/ApplicationELB; RunningTaskCount and
PendingTaskCount of ECS/ContainerInsights. Others are refused.

Scheduled actions go by the run's clock, which --begin sets. Predictive policies
forecast from the part of the load that --history puts before the run; what the
forecast is worth is said above the table.

A shape is one of
  hold:high=40,for=10m               ramp:low=10,high=80,over=5m,for=10m
  stages:10@1m,10-80@30s,80@5m       step:low=10,high=80,at=2m,for=10m
  spike:low=10,high=80,at=2m,width=30s,every=5m,for=20m
  sine:low=10,high=80,period=20m,for=1h
  onoff:low=10,high=80,on=2m,off=3m,for=30m      mmpp: the same at random
  flash:low=10,high=80,at=2m,over=10s,decay=3m,for=20m
in requests per second; what is left out is as shown.`,
		Example: `  neargate simulate --load trace.csv --policy policy.json --policy other.json --start 10s
  neargate simulate --load trace.csv --peak-need 18 --timing live,aws-60 --html page.html
  neargate simulate --load week.csv --history 144h --policy predictive.json --policy policy.json
  neargate simulate --shape step:low=10,high=80 --against aws-20,fixed:16 --seeds 20`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := calibration(cmd, calibrated, cfg); err != nil {
				return misuse{err}
			}
			if err := cfg.Validate(); err != nil {
				return misuse{hinted{err, "run 'neargate simulate --help' for what it takes"}}
			}
			if calibrated {
				if err := calibrate(cmd.Context(), &cfg, cmd.ErrOrStderr(), cmd.ErrOrStderr()); err != nil {
					return err
				}
			}
			err := simulate.Run(cmd.Context(), cfg, cmd.OutOrStdout())
			if errors.Is(err, traffic.ErrGap) {
				return hinted{err, "--fill puts them on the line between their neighbours"}
			}
			if e, ok := errors.AsType[*simulate.PutError](err); ok {
				return hinted{err, "it is put when the run begins, " + e.At.Format(time.RFC3339) + "; --begin sets another time"}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&cfg.Load, "load", "", "load `file`")
	f.StringVar(&cfg.Shape, "shape", "", "made-up load instead: a `pattern`")
	f.BoolVar(&cfg.Fill, "fill", false, "fill gaps in the times of the load file, which are an error without")
	f.DurationVar(&cfg.From, "from", 0, "leave out the load before this time")
	f.DurationVar(&cfg.For, "for", 0, "use this much of the load; 0 is all")
	f.DurationVar(&cfg.History, "history", 0, "begin the run this much later, and let predictive policies forecast from the load until then")
	f.StringVar(&cfg.Begin, "begin", "", "what the clock shows when the run begins, for scheduled and predictive scaling: a `time` such as 2026-03-02T09:00:00Z; without, as a load with dates has it, or 1970")
	f.DurationVar(&cfg.Smooth, "smooth", 0, "smooth the load over this time; for counts by the second, whose noise is no change of the load")
	f.IntVar(&cfg.PeakNeed, "peak-need", 0, "scale the load so that its peak needs this many `tasks`; 0 leaves it")
	f.StringArrayVar(&cfg.Policies, "policy", nil, "policy `file`; give several to compare them")
	f.StringSliceVar(&cfg.Timings, "timing", cfg.Timings, "how fast the policies are obeyed, one or more of live, aws-60, aws-20")
	f.StringSliceVar(&cfg.Against, "against", nil, "other scalers to compare with: "+simulate.Opponents())
	f.DurationVar(&cfg.Start, "start", cfg.Start, "time from the order of a task to its first request")
	f.DurationVar(&cfg.Demand, "demand", cfg.Demand, "CPU time of a request, the mean")
	f.Float64Var(&cfg.CV, "cv", cfg.CV, "its coefficient of variation")
	f.BoolVar(&calibrated, "calibrate", false, "measure --start, --demand and --cv first, with real containers of the example app: about a minute, as root")
	f.IntVar(&cfg.CPU, "task-cpu", cfg.CPU, "CPU `units` of a task; 1024 are one vCPU")
	f.IntVar(&cfg.Min, "min", cfg.Min, "least tasks; -1 is as the policy file says, or 2")
	f.IntVar(&cfg.Max, "max", cfg.Max, "most tasks; -1 is as the policy file says, or 20")
	f.IntVar(&cfg.PerTask, "limit", cfg.PerTask, "`requests` at one task before more wait at the balancer; 0 is no limit")
	f.IntVar(&cfg.Quota, "quota", cfg.Quota, "run tasks under a CFS quota, on a machine of this many `cores`; 0 shares their CPU evenly")
	f.DurationVar(&cfg.SLO, "slo", cfg.SLO, "latency over which a request is late; 0 is as an SLO policy says, or 500ms")
	f.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "seed of all that is random")
	f.IntVar(&cfg.Seeds, "seeds", cfg.Seeds, "how many seeds to run, for the spread of the figures")
	f.StringVar(&cfg.CSV, "csv", "", "write a line for each policy and second to this `file`")
	f.StringVar(&cfg.Summary, "summary", "", "write a line for each policy and seed to this `file`")
	f.StringVar(&cfg.HTML, "html", "", "write a page with charts to this `file`")
	f.BoolVar(&cfg.JSON, "json", false, "print the summary as JSON instead of the table")
	return cmd
}

// calibration refuses what --calibrate would measure beside it, and sizes that
// no task has.
func calibration(cmd *cobra.Command, calibrated bool, cfg simulate.Config) error {
	if !calibrated {
		return nil
	}
	for _, name := range []string{"start", "demand", "cv"} {
		if cmd.Flags().Changed(name) {
			return errors.New("--calibrate measures --" + name + "; give one or the other")
		}
	}
	switch cfg.CPU {
	case 256, 512, 1024, 2048, 4096:
		return nil
	}
	return fmt.Errorf("--calibrate runs real tasks: --task-cpu %d must be one of 256, 512, 1024, 2048, 4096", cfg.CPU)
}
