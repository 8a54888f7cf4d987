package simulate

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
	"neargate/internal/sim"
	"neargate/internal/sim/contest"
)

// contender is a scaler that takes part.
type contender struct {
	name  string // as it is told
	entry contest.Contestant
}

// readFiles reads the policies, and what the reference takes from them.
func (p *plan) readFiles() ([]policyFile, error) {
	files, err := p.files()
	if err != nil {
		return nil, err
	}
	if p.lo, p.hi, err = p.bounds(files[0]); err != nil {
		return nil, err
	}
	p.reference(files)
	return files, nil
}

// addContenders makes the reference, the policies in their timings, and what
// they are put against, in this order.
func (p *plan) addContenders(files []policyFile) error {
	if err := p.addNamed("clairvoyant"); err != nil {
		return err
	}
	p.contenders[0].name = fmt.Sprintf("clairvoyant %g %%", p.target)
	for _, f := range files {
		if err := p.addPolicies(f); err != nil {
			return err
		}
	}
	for _, name := range p.Against {
		var err error
		switch {
		case name == "clairvoyant": // takes part anyway
		case scaling.Timing(name).Valid():
			err = p.addPolicy(files[0], name, files[0].name+" "+name)
		default:
			err = p.addNamed(name)
		}
		if err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, c := range p.contenders {
		if seen[c.name] {
			return fmt.Errorf("%s takes part twice", c.name)
		}
		seen[c.name] = true
	}
	return nil
}

// files reads the policy files; without one, the policy is the demo's.
func (p *plan) files() ([]policyFile, error) {
	var files []policyFile
	for _, path := range p.Policies {
		f, err := readPolicies(path, p.begin)
		if err != nil {
			return nil, err
		}
		for _, other := range files {
			if other.name == f.name { // two directories, one name
				f.name = filepath.Clean(path)
			}
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		files = []policyFile{{name: "cpu-50", policies: []model.ScalingPolicy{{
			Name: "cpu-50", ResourceID: resource,
			Tracking: &model.TargetTracking{Target: 50, Predefined: string(scaling.CPU), ScaleOut: 30 * time.Second, ScaleIn: 30 * time.Second},
		}}}}
	}
	return files, nil
}

// bounds are a file's own, or those of the command line.
func (p *plan) bounds(f policyFile) (lo, hi int, err error) {
	lo, hi = defaultMin, defaultMax
	if t := f.target; t != nil {
		lo, hi = t.Min, t.Max
		if p.Min >= 0 && p.Min != lo || p.Max >= 0 && p.Max != hi {
			return 0, 0, fmt.Errorf("%s has MinCapacity %d and MaxCapacity %d, the command line says otherwise; leave one of them out", f.name, lo, hi)
		}
		return lo, hi, nil
	}
	if p.Min >= 0 {
		lo = p.Min
	}
	if p.Max >= 0 {
		hi = p.Max
	}
	if lo > hi {
		return 0, 0, fmt.Errorf("at least %d and at most %d tasks: set --min and --max", lo, hi)
	}
	return lo, hi, nil
}

// reference takes the CPU target of the first policy that has one, and the
// latency of the first SLO.
func (p *plan) reference(files []policyFile) {
	targeted := false
	for _, f := range files {
		for _, m := range f.policies {
			switch pol := policy.Of(m); {
			case pol.Metric == scaling.CPU && !targeted:
				p.target, p.cooldown, targeted = pol.Target, pol.ScaleOut, true
			case pol.Metric == scaling.ResponseTime && p.SLO == 0:
				p.SLO = time.Duration(pol.Target * float64(time.Second))
			}
		}
	}
	p.SLO = cmp.Or(p.SLO, defaultSLO)
}

func (p *plan) addPolicies(f policyFile) error {
	for _, t := range p.Timings {
		name := f.name
		if len(p.Timings) > 1 || t != string(scaling.Live) {
			name += " " + t
		}
		if err := p.addPolicy(f, t, name); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) addPolicy(f policyFile, timing, name string) error {
	lo, hi, err := p.bounds(f)
	if err != nil {
		return err
	}
	t := model.ScalableTarget{}
	if f.target != nil {
		t = *f.target
	}
	t.Min, t.Max = lo, hi
	svc := sim.Service{Target: t, Timing: scaling.Timing(timing), Policies: f.policies, Alarms: f.alarms, Scheduled: f.scheduled, Past: f.past}
	if _, err := sim.NewService(svc, 0); err != nil {
		return fmt.Errorf("policy %s cannot be simulated: %w", f.name, err)
	}
	if err := f.followable(); err != nil {
		return err
	}
	p.contenders = append(p.contenders, contender{name, contest.Service(name, svc)})
	return nil
}

// followable refuses what the simulator takes and nothing in it would move.
func (f *policyFile) followable() error {
	memory := func(queries ...model.MetricQuery) bool {
		return slices.ContainsFunc(queries, func(q model.MetricQuery) bool { return q.Metric.Name == "MemoryUtilization" })
	}
	const unknown = "policy %s cannot be simulated: %s tracks memory, and what a request needs of it is not known"
	for _, pol := range f.policies {
		if pol.Tracking != nil && (policy.Of(pol).Metric == scaling.Memory || memory(policy.Queries(pol)...)) {
			return fmt.Errorf(unknown, f.name, pol.Name)
		}
		if pol.Step != nil && !slices.ContainsFunc(f.alarms, func(al model.Alarm) bool { return sim.AsksFor(al, pol.Name) }) {
			return fmt.Errorf("policy %s: no alarm asks for the step policy %s; put the JSON of put-metric-alarm beside it, in a list, with the policy's name in AlarmActions", f.name, pol.Name)
		}
	}
	for _, al := range f.alarms {
		if memory(model.MetricQuery{Metric: al.Metric}) || memory(al.Queries...) {
			return fmt.Errorf(unknown, f.name, "alarm "+al.Name)
		}
	}
	return nil
}

func (p *plan) addNamed(name string) error {
	list, err := contest.Named(contestName(name))
	if err != nil {
		return err
	}
	p.contenders = append(p.contenders, contender{name, list[0]})
	return nil
}

// contestName is how a contest names a scaler.
func contestName(name string) string {
	if n, ok := strings.CutPrefix(name, "fixed:"); ok {
		return contest.FixedPrefix + n
	}
	if name == "knative" {
		return "kpa"
	}
	return name
}

// opponent refuses a name that Config.Against must not hold.
func opponent(name string) error {
	if n, ok := strings.CutPrefix(name, "fixed:"); ok {
		if n, err := strconv.Atoi(n); err != nil || n < 1 || n > mostTasks {
			return fmt.Errorf("--against %q: want fixed:N, N from 1 to %d", name, mostTasks)
		}
		return nil
	}
	if !slices.Contains(opponents(), name) {
		return fmt.Errorf("--against %q: want %s", name, Opponents())
	}
	return nil
}

func opponents() []string {
	names := contest.Names()
	for i, n := range names {
		if n == "kpa" {
			names[i] = "knative"
		}
	}
	return names
}

// Opponents tells what Config.Against may hold.
func Opponents() string { return "fixed:N, " + strings.Join(opponents(), ", ") }
