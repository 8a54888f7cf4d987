package simulate

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
	"neargate/internal/sim"
)

// contender is a scaler that takes part.
type contender struct {
	name    string
	lo, hi  int
	initial int
	scaler  func(initial int) sim.Scaler
}

// fixed always wants the same count.
type fixed int

// Second is a Scaler's.
func (f fixed) Second(model.ServiceSecond) (int, string) { return int(f), "" }

// readContenders makes the reference, the policies in their timings, and what
// they are put against, in this order.
func (p *plan) readContenders() error {
	files, err := p.files()
	if err != nil {
		return err
	}
	p.lo, p.hi, err = p.bounds(files[0])
	if err != nil {
		return err
	}
	p.reference(files)
	p.contenders = []contender{{name: fmt.Sprintf("clairvoyant %g %%", p.target), lo: p.lo, hi: p.hi, scaler: p.clairvoyant}}
	for _, f := range files {
		if err := p.addPolicies(f); err != nil {
			return err
		}
	}
	for _, name := range p.Against {
		if err := p.addAgainst(name, files[0]); err != nil {
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
		f, err := readPolicies(path)
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
				p.target, targeted = pol.Target, true
			case pol.Metric == scaling.ResponseTime && p.SLO == 0:
				p.SLO = time.Duration(pol.Target * float64(time.Second))
			}
		}
	}
	p.SLO = cmp.Or(p.SLO, defaultSLO)
}

func (p *plan) addPolicies(f policyFile) error {
	lo, hi, err := p.bounds(f)
	if err != nil {
		return err
	}
	for _, t := range p.Timings {
		name := f.name
		if len(p.Timings) > 1 || t != string(scaling.Live) {
			name += " " + t
		}
		p.contenders = append(p.contenders, contender{name: name, lo: lo, hi: hi, scaler: decider(f, scaling.Timing(t), lo, hi)})
	}
	return nil
}

// decider is the server's own decisions for a file's policies.
func decider(f policyFile, t scaling.Timing, lo, hi int) func(int) sim.Scaler {
	cfg := scaling.Config{Min: lo, Max: hi, Timing: t}
	if f.target != nil {
		cfg.SuspendIn, cfg.SuspendOut = f.target.SuspendIn, f.target.SuspendOut
	}
	for _, m := range f.policies {
		cfg.Policies = append(cfg.Policies, policy.Of(m))
	}
	return func(initial int) sim.Scaler { return sim.NewDecider(cfg, initial) }
}

// opponent refuses a name that Config.Against must not hold.
func opponent(name string) error {
	kind, arg, _ := strings.Cut(name, ":")
	switch {
	case kind == "fixed":
		if n, err := strconv.Atoi(arg); err != nil || n < 1 || n > mostTasks {
			return fmt.Errorf("--against %q: want fixed:N, N from 1 to %d", name, mostTasks)
		}
		return nil
	case scaling.Timing(name).Valid(), name == "clairvoyant":
		return nil
	}
	return fmt.Errorf("--against %q: want %s", name, againstNames)
}

// addAgainst adds a scaler by its name.
func (p *plan) addAgainst(name string, first policyFile) error {
	if err := opponent(name); err != nil {
		return err
	}
	c := contender{name: name, lo: p.lo, hi: p.hi}
	switch _, arg, _ := strings.Cut(name, ":"); {
	case arg != "":
		n, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		c.initial = n
		c.scaler = func(int) sim.Scaler { return fixed(n) }
	case scaling.Timing(name).Valid():
		c.name = first.name + " " + name
		c.scaler = decider(first, scaling.Timing(name), p.lo, p.hi)
	default:
		return nil // the clairvoyant takes part anyway
	}
	p.contenders = append(p.contenders, c)
	return nil
}

const againstNames = "fixed:N, clairvoyant, live, aws-60 or aws-20"

// Opponents names what Config.Against may hold.
func Opponents() string { return againstNames }
