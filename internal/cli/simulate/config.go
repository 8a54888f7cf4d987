package simulate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"neargate/internal/decide/forecast"
	"neargate/internal/decide/scaling"
	"neargate/internal/traffic"
)

// Config is what to simulate.
type Config struct {
	Load, Shape string // a file, or a traffic pattern
	Fill        bool   // gaps of the file
	From, For   time.Duration
	History     time.Duration // of the load, before the run
	Smooth      time.Duration
	PeakNeed    int    // tasks that the peak needs after scaling; 0 leaves the load as it is
	Begin       string // what the clock shows at first; "" is as the load has it

	Policies []string // files; each is one contender
	Timings  []string // of the policies
	Against  []string // other scalers, by name

	Start    time.Duration
	Demand   time.Duration
	CV       float64
	CPU      int // units of a task; 1024 are one vCPU
	Min, Max int // -1: as a policy file says, or 2 and 20
	PerTask  int
	Quota    int           // cores of the machine on which tasks run under a CFS quota; 0: none
	SLO      time.Duration // 0: as an SLO policy says, or 500 ms

	// Calibrated says by what Start, Demand and CV were measured; "" is given.
	Calibrated string

	Seed  uint64
	Seeds int

	CSV, Summary, HTML string // files
	JSON               bool
}

// Default is a run of the demo's service.
func Default() Config {
	return Config{
		Timings: []string{string(scaling.Live)}, Start: 10 * time.Second, Demand: 100 * time.Millisecond, CV: 0.2,
		CPU: 1024, Min: -1, Max: -1, Seed: 1, Seeds: 1,
	}
}

const (
	defaultMin, defaultMax = 2, 20
	defaultSLO             = 500 * time.Millisecond
	mostTasks              = 5000 // of a service, as ECS has it
	mostSeeds              = 1000
	mostRequests           = 50e6 // of one run
)

// Validate names everything that is wrong with c, before any file is read.
func (c Config) Validate() error {
	return errors.Join(c.checkLoad(), c.checkService(), c.checkScalers(), c.checkFiles())
}

// checks collects what is wrong.
type checks []error

func (all *checks) that(ok bool, format string, args ...any) {
	if !ok {
		*all = append(*all, fmt.Errorf(format, args...))
	}
}

func (c Config) checkLoad() error {
	var all checks
	all.that(c.Load != "" || c.Shape != "", "no load: give --load FILE or --shape PATTERN")
	all.that(c.Load == "" || c.Shape == "", "--load and --shape: give one or the other")
	all.that(!c.Fill || c.Load != "", "--fill is for the gaps of a --load file")
	all.that(c.From >= 0 && c.For >= 0, "--from %v --for %v: neither may be negative", c.From, c.For)
	all.that(c.History == 0 || c.History >= forecast.LeastPast*time.Hour, "--history %v: want at least %dh", c.History, forecast.LeastPast)
	all.that(c.Smooth == 0 || c.Smooth >= time.Second && c.Smooth <= time.Hour, "--smooth %v: want 1s to 1h", c.Smooth)
	all.that(c.PeakNeed >= 0 && c.PeakNeed <= mostTasks, "--peak-need %d: want 1 to %d tasks", c.PeakNeed, mostTasks)
	if c.Begin != "" {
		_, err := readMoment(c.Begin)
		all.that(err == nil, "--begin: %v", err)
	}
	if c.Shape != "" {
		_, err := traffic.ParsePattern(c.Shape)
		all = append(all, err)
	}
	return errors.Join(all...)
}

func (c Config) checkService() error {
	var all checks
	all.that(c.Start >= 0 && c.Start <= time.Hour, "--start %v: want 0 to 1h", c.Start)
	all.that(c.Demand >= time.Microsecond && c.Demand <= time.Hour, "--demand %v: want 1µs to 1h of CPU a request", c.Demand)
	all.that(c.CV >= 0 && c.CV <= 10, "--cv %v: want 0 to 10", c.CV)
	all.that(c.CPU >= 1 && c.CPU <= 16384, "--task-cpu %d: want 1 to 16384 CPU units; 1024 are one vCPU", c.CPU)
	all.that(c.Min >= -1 && c.Min <= mostTasks, "--min %d: want 0 to %d", c.Min, mostTasks)
	all.that(c.Max == -1 || c.Max >= 1 && c.Max <= mostTasks, "--max %d: want 1 to %d", c.Max, mostTasks)
	all.that(c.Min < 0 || c.Max < 0 || c.Min <= c.Max, "--min %d is above --max %d", c.Min, c.Max)
	all.that(c.Quota >= 0 && c.Quota <= 1024, "--quota %d: want up to 1024 cores", c.Quota)
	all.that(c.PerTask >= 0, "--limit %d must not be negative", c.PerTask)
	all.that(c.SLO >= 0 && c.SLO <= time.Hour, "--slo %v: want up to 1h", c.SLO)
	all.that(c.Seeds >= 1 && c.Seeds <= mostSeeds, "--seeds %d: want 1 to %d", c.Seeds, mostSeeds)
	return errors.Join(all...)
}

func (c Config) checkScalers() error {
	var all checks
	all.that(len(c.Timings) > 0, "--timing: want live, aws-60 or aws-20")
	for i, t := range c.Timings {
		all.that(scaling.Timing(t).Valid(), "--timing %q: want live, aws-60 or aws-20", t)
		all.that(!slices.Contains(c.Timings[:i], t), "--timing %s is given twice", t)
	}
	for i, a := range c.Against {
		all = append(all, opponent(a))
		all.that(!slices.Contains(c.Against[:i], a), "--against %s is given twice", a)
	}
	return errors.Join(all...)
}

func (c Config) checkFiles() error {
	var all checks
	outs := slices.DeleteFunc([]string{c.CSV, c.Summary, c.HTML}, func(s string) bool { return s == "" })
	slices.Sort(outs)
	all.that(len(slices.Compact(slices.Clone(outs))) == len(outs), "--csv, --summary and --html must be different files")
	for _, o := range outs {
		all.that(o != c.Load && !slices.Contains(c.Policies, o), "%s would be overwritten: it is read as well", o)
		info, err := os.Stat(filepath.Dir(o))
		all.that(err == nil && info.IsDir(), "%s: there is no directory %s", o, filepath.Dir(o))
	}
	return errors.Join(all...)
}
