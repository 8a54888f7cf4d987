package simulate

import (
	"cmp"
	"fmt"
	"path/filepath"
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

// addContenders creates the reference, the policies in their timings, and what
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
