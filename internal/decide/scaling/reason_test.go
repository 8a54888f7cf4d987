package scaling

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestReasonsAreSentencesWithNumbers(t *testing.T) {
	cpu := Reason{Metric: CPU, Target: 50, Unit: 0.25, Current: 10}
	with := func(r Reason, change func(r *Reason)) Reason { change(&r); return r }
	cases := map[string]Reason{
		"offered up to 4.1 vCPU (likely 3.6) at target 50 % of 0.25 needs 33, held to max 20": with(cpu, func(r *Reason) {
			r.Kind, r.Estimate, r.Bounded, r.Held = Load, 3.6, "max", 20
			r.size(UpTo, Size{Load: 4.1, Need: 33})
		}),
		"offered at least 0.52 vCPU at target 50 % of 0.25 needs 5": with(cpu, func(r *Reason) {
			r.Kind = Load
			r.size(AtLeast, Size{Load: 0.52, Need: 5})
		}),
		"offered at most 0.1 vCPU (likely 0.08) needs 1, but the last 32 s needed up to 10 (1.2 vCPU at target 50 % of 0.25)": with(cpu, func(r *Reason) {
			r.Kind, r.Estimate, r.Peak, r.Window = Load, 0.08, Size{Load: 1.2, Need: 10}, 32*time.Second
			r.size(AtMost, Size{Load: 0.1, Need: 1})
		}),
		"offered 0.56 vCPU (surely 0.4 to 0.7) at target 50 % of 0.25 needs 4 to 6: 5 fits": with(cpu, func(r *Reason) {
			r.Kind, r.Need, r.Size, r.Least, r.Most = Steady, 5, Size{Load: 0.56, Need: 5}, Size{Load: 0.4, Need: 4}, Size{Load: 0.7, Need: 6}
		}),
		"offered at least 1.13 vCPU at target 50 % of 0.25 needs 10": with(cpu, func(r *Reason) {
			r.Kind = Load
			r.size(AtLeast, Size{Load: 1.1263, Need: 10})
		}),
		"46 requests wait on busy tasks: 1.1 vCPU, 0.6 of it to work them off in 10 s, at 95 % of 0.25 needs 5": with(cpu, func(r *Reason) {
			r.Kind, r.Waiting, r.Share, r.Backlog, r.Drain = Saturated, 46, 95, 0.6, 10*time.Second
			r.size(Measured, Size{Load: 1.1, Need: 5})
		}),
		"offered 2900 rising to 3031 requests a minute at target 600 per task needs 6": func() Reason {
			r := Reason{Kind: Load, Metric: RequestsPerTarget, Target: 600, Estimate: 2900.0 / 60}
			r.size(Rising, Size{Load: 50.51, Need: 6})
			return r
		}(),
		"memory to fill 2.9 tasks at target 62.5 % needs 5": {Kind: Load, Metric: Memory, Target: 62.5, Size: Size{Load: 2.86, Need: 5}, Need: 5},
		"metric at 96.3 of 2 tasks with target 50 needs 4":  {Kind: AlarmState, Target: 50, Tasks: 2, Size: Size{Load: 96.3, Need: 4}, Need: 4},
		"no data: held at 3": {Kind: NoData, Current: 3},
	}
	for want, r := range cases {
		if got := r.String(); got != want {
			t.Errorf("reason = %q, want %q", got, want)
		}
	}
}

// A sentence says a load, a target and a count; these find them.
var (
	saysLoad = regexp.MustCompile(`([0-9.]+) (?:vCPU|requests a minute|tasks)(?:,? ?\(likely [^)]*\)| used|, [^,]*,)? at (?:target )?([0-9.]+)(?: %(?: of ([0-9.]+))?| per task) needs ([0-9]+)(?:$|,)`)
	saysPeak = regexp.MustCompile(`needed up to ([0-9]+) \(([0-9.]+) (?:vCPU|requests a minute|tasks) at target ([0-9.]+)(?: %(?: of ([0-9.]+))?| per task)\)`)
)

// addUp finds the arithmetic in a sentence and does it again.
func addUp(t *rapid.T, d Decision) {
	r := d.Reason
	text, _, _ := strings.Cut(r.String(), "; beyond ") // what the balancer does meanwhile
	if r.Metric == ResponseTime && r.Share == 0 {
		if s := r.Size; s.Answer > s.Fewer && s.Need > 1 {
			t.Fatalf("%q: more tasks answer later", text)
		}
		return
	}
	num := func(s string) float64 {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatalf("number %q in %q: %v", s, text, err)
		}
		return x
	}
	check := func(load, target, unit, count string) {
		per := num(target)
		if unit != "" {
			per *= num(unit)
		}
		if r.Metric != RequestsPerTarget {
			per /= 100
		}
		if got := math.Ceil(num(load)/per - 1e-6); got != num(count) {
			t.Fatalf("%q says %s, but its numbers give %v", text, count, got)
		}
	}
	if m := saysPeak.FindStringSubmatch(text); m != nil {
		check(m[2], m[3], m[4], m[1])
		return
	}
	m := saysLoad.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no load, target and count in %q", text)
	}
	check(m[1], m[2], m[3], m[4])
}

// Every order says a load that needs, at the target it names, the count
// ordered.
func TestReasonsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := believable(t, true)
		for _, r := range p.record {
			d := r.d
			if s := d.Reason.Size; s.Need < 1e6 && s.Need > 0 && d.Reason.perTask() > 0 {
				if got := ceil(s.Load / d.Reason.perTask()); got != s.Need {
					t.Fatalf("%v over %v is %d, not %d: %s", s.Load, d.Reason.perTask(), got, s.Need, d.Reason)
				}
			}
			switch d.Reason.Kind {
			case Steady:
				if d.Reason.Least.Need > r.obs.Desired || d.Reason.Most.Need < r.obs.Desired {
					t.Fatalf("%d is not within %d to %d: %s", r.obs.Desired, d.Reason.Least.Need, d.Reason.Most.Need, d.Reason)
				}
			case Load, Saturated, Waiting, Cooldown, Small, TooNew, Busy, UnderWay:
				addUp(t, d)
			default: // these name no need
			}
			if d.Desired != r.obs.Desired && min(max(d.Reason.Need, p.cfg.Min), p.cfg.Max) != d.Desired {
				t.Fatalf("%d ordered for a need of %d: %s", d.Desired, d.Reason.Need, d.Reason)
			}
		}
	})
}
