package scaling

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestSeveralPoliciesJoin(t *testing.T) {
	at := func(want int) opinion { return opinion{known: true, want: want} }
	in := func(want int) opinion { return opinion{known: true, want: want, agreesIn: true} }
	silent := opinion{reason: Reason{Kind: NoData}}
	disabled := func(o opinion) opinion { o.inDisabled = true; return o }
	cooling := func(o opinion) opinion { o.left = time.Second; return o }
	stepIn := func(want int) opinion {
		return opinion{known: true, step: true, fired: true, want: want, agreesIn: true}
	}
	stepOut := func(want int) opinion { return opinion{known: true, step: true, fired: true, want: want} }
	quiet := opinion{known: true, step: true, want: 9}
	resting := func(o opinion) opinion { o.resting = true; return o }
	bounds := Config{Min: 2, Max: 20}
	cases := map[string]struct {
		cfg       Config
		desired   int
		deploying bool
		opinions  []opinion
		want      int
		notScaled string
	}{
		"no policy":            {bounds, 5, false, nil, 5, ""},
		"the largest wins out": {bounds, 5, false, []opinion{at(7), at(9), at(5)}, 9, ""},
		"one that wants out beats those that want in":    {bounds, 5, false, []opinion{in(3), at(6)}, 6, ""},
		"in only if all agree":                           {bounds, 5, false, []opinion{in(3), at(5)}, 5, ""},
		"the largest wins in":                            {bounds, 9, false, []opinion{in(3), in(5)}, 5, ""},
		"without data there is no agreement":             {bounds, 9, false, []opinion{in(3), silent}, 9, ""},
		"without data others may still go out":           {bounds, 9, false, []opinion{silent, at(12)}, 12, ""},
		"a policy that never scales in has no veto":      {bounds, 9, false, []opinion{in(3), disabled(at(9))}, 3, ""},
		"a policy that never scales in does not":         {bounds, 9, false, []opinion{disabled(in(3))}, 9, ""},
		"no scale-in during a deployment":                {bounds, 9, true, []opinion{in(3)}, 9, Unscalable},
		"but scale-out":                                  {bounds, 9, true, []opinion{at(12)}, 12, ""},
		"no scale-in in its cooldown":                    {bounds, 9, false, []opinion{cooling(in(3))}, 9, ""},
		"scale-out whatever the scale-in cooldown says":  {bounds, 9, false, []opinion{cooling(at(12))}, 12, ""},
		"held to the maximum":                            {bounds, 9, false, []opinion{at(40)}, 20, ""},
		"already at the maximum":                         {bounds, 20, false, []opinion{at(40)}, 20, AtMax},
		"held to the minimum":                            {bounds, 9, false, []opinion{in(0)}, 2, ""},
		"already at the minimum":                         {bounds, 2, false, []opinion{in(1)}, 2, AtMin},
		"below the minimum: to it first":                 {bounds, 1, false, []opinion{at(9)}, 2, ""},
		"below the minimum: a scale-in changes nothing":  {bounds, 1, false, []opinion{in(0)}, 1, AtMin},
		"above the maximum: to it first":                 {bounds, 30, false, []opinion{in(9)}, 20, ""},
		"above the maximum: a scale-out changes nothing": {bounds, 30, false, []opinion{at(40)}, 30, AtMax},
		"a silent step policy has no veto":               {bounds, 9, false, []opinion{quiet, in(3)}, 3, ""},
		"a step policy alone, silent":                    {bounds, 9, false, []opinion{quiet}, 9, ""},
		"a step policy goes in though tracking holds":    {bounds, 9, false, []opinion{at(9), stepIn(7)}, 7, ""},
		"and though tracking knows nothing":              {bounds, 9, false, []opinion{silent, stepIn(7)}, 7, ""},
		"and though tracking never scales in":            {bounds, 9, false, []opinion{disabled(in(3)), stepIn(7)}, 7, ""},
		"the larger of step and tracking wins in":        {bounds, 9, false, []opinion{in(3), stepIn(7)}, 7, ""},
		"the larger of tracking and step wins in":        {bounds, 9, false, []opinion{stepIn(3), in(7)}, 7, ""},
		"tracking between two actions starts nothing":    {bounds, 9, false, []opinion{resting(in(8)), stepIn(3)}, 3, ""},
		"what is in its cooldown does not ask":           {bounds, 9, false, []opinion{cooling(stepIn(8)), stepIn(3)}, 3, ""},
		"tracking in its cooldown does not ask":          {bounds, 9, false, []opinion{cooling(in(8)), stepIn(3)}, 3, ""},
		"a step in its cooldown leaves it to tracking":   {bounds, 9, false, []opinion{cooling(stepIn(8)), in(3)}, 3, ""},
		"the largest of two step policies wins in":       {bounds, 9, false, []opinion{stepIn(3), stepIn(5)}, 5, ""},
		"tracking that wants out beats a step in":        {bounds, 9, false, []opinion{at(12), stepIn(5)}, 12, ""},
		"the largest of tracking and step wins out":      {bounds, 9, false, []opinion{at(12), stepOut(14)}, 14, ""},
		"a step policy at the maximum":                   {bounds, 20, false, []opinion{stepOut(22)}, 20, AtMax},
		"a step policy at the minimum":                   {bounds, 2, false, []opinion{stepIn(1)}, 2, AtMin},
		"a step that changes nothing":                    {bounds, 9, false, []opinion{at(9), stepOut(9)}, 9, AtDesired},
		"no step in during a deployment":                 {bounds, 9, true, []opinion{stepIn(3)}, 9, Unscalable},
		"step in suspended":                              {Config{Min: 2, Max: 20, SuspendIn: true}, 5, false, []opinion{stepIn(3)}, 5, ""},
		"step out suspended":                             {Config{Min: 2, Max: 20, SuspendOut: true}, 5, false, []opinion{stepOut(7)}, 5, ""},
		"out suspended":                                  {Config{Min: 2, Max: 20, SuspendOut: true}, 5, false, []opinion{at(9)}, 5, ""},
		"in suspended":                                   {Config{Min: 2, Max: 20, SuspendIn: true}, 5, false, []opinion{in(3)}, 5, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := arbitrate(c.cfg, Observation{Desired: c.desired, Deploying: c.deploying}, c.opinions)
			if d.Desired != c.want || d.NotScaled != c.notScaled {
				t.Errorf("desired %d, not scaled %q, want %d, %q (%s)", d.Desired, d.NotScaled, c.want, c.notScaled, d.Reason)
			}
		})
	}
}

func TestCooldownsBeginWhenTheServiceHasFollowed(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	see := func(desired, running, draining int) Observation {
		o := Observation{Measured: true, Desired: desired}
		o.Second.Running, o.Second.Draining = running, draining
		return o
	}
	o := Order{}.note(Observation{Desired: 8}, Decision{Desired: 4}, at(0))
	o = o.follow(see(4, 4, 3), at(10)) // still draining
	if left := o.inLeft(30*time.Second, at(10)); left != 30*time.Second {
		t.Errorf("while tasks drain %v are left, want all of it", left)
	}
	o = o.follow(see(4, 4, 0), at(20))
	if left := o.inLeft(30*time.Second, at(40)); left != 10*time.Second {
		t.Errorf("20 s after the last task went %v are left, want 10s", left)
	}
	o = o.note(Observation{Desired: 4}, Decision{Desired: 9}, at(41))
	if left := o.inLeft(30*time.Second, at(42)); left != 0 {
		t.Errorf("a scale-out left %v of the scale-in cooldown", left)
	}
	if left := o.outLeft(30*time.Second, at(100)); left != 30*time.Second {
		t.Errorf("while tasks start %v of the scale-out cooldown are left, want all of it", left)
	}
	o = o.follow(see(5, 5, 0), at(110)) // somebody set 5
	if o.Pending {
		t.Error("an order that was overtaken is still under way")
	}
}

func TestHistoryKeepsSumsAndFitsItsSize(t *testing.T) {
	var h History
	rng := rand.New(rand.NewPCG(1, 2))
	var arrivals int64
	for i := range 20000 {
		n := rng.Int64N(100)
		arrivals += n
		h.push(Bucket{Span: time.Second, Arrivals: n})
		var sum Bucket
		for j := range h.Len {
			sum.add(&h.Buckets[j])
		}
		if sum.Arrivals != arrivals || sum.Span != time.Duration(i+1)*time.Second {
			t.Fatalf("after %d seconds the buckets hold %d arrivals in %v, want %d", i+1, sum.Arrivals, sum.Span, arrivals)
		}
		if i > 20 && h.Buckets[secondsWidth-2].Span != time.Second {
			t.Fatalf("after %d seconds the newest are not kept by the second: %+v", i+1, h.Buckets[:secondsWidth])
		}
	}
	if h.Len > maxBuckets {
		t.Errorf("%d buckets", h.Len)
	}
}

func TestMemoryPolicy(t *testing.T) {
	policy := Policy{Name: "memory", Metric: Memory, Target: 60}
	cfg := live(2, 10, policy)
	var st State
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	desired := 4
	steps := []struct {
		seconds int
		used    float64 // by all tasks together, in tasks' sizes
		want    int
	}{
		{90, 4 * 0.58, 4}, // between 0.9 × target and target: nothing
		{20, 4 * 0.80, 6}, // 3.2 ÷ 0.6
		{60, 4 * 0.80, 6}, // the same memory on six tasks
		{120, 1, 2},
	}
	for i, s := range steps {
		for range s.seconds {
			now = now.Add(time.Second)
			sec := busy(desired, 0)
			sec.MemoryPerTask = 1 << 30
			sec.Memory = int64(s.used * (1 << 30))
			var d Decision
			d, st = Decide(cfg, st, Observation{Second: sec, Measured: true, Desired: desired}, now)
			desired = d.Desired
		}
		if desired != s.want {
			t.Errorf("step %d: %d tasks, want %d", i, desired, s.want)
		}
	}
}
