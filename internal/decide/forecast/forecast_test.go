package forecast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// start is a Monday.
var start = time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)

// load makes hours of a load.
func load(hours int, at func(h int) float64) Series {
	s := Series{Start: start, Values: make([]float64, hours)}
	for h := range s.Values {
		s.Values[h] = at(h)
	}
	return s
}

// day has a quiet night and a busy afternoon, between 0 and 1.
func day(h int) float64 { return .5 - .5*math.Cos(2*math.Pi*float64(h%24-3)/24) }

// noise is steady over the seed.
func noise(seed uint64, part float64) func() float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	return func() float64 { return 1 + part*r.NormFloat64() }
}

// off is how far a forecast is from what came, as a share of it.
func off(f Forecast, came func(h int) float64, from int) float64 {
	var sum, all float64
	for i, v := range f.Values {
		x := came(from + i)
		sum, all = sum+math.Abs(v-x), all+x
	}
	return sum / all
}

func TestForecastFindsTheCourse(t *testing.T) {
	weekend := func(h int) bool { return h/24%7 >= 5 }
	courses := map[string]struct {
		course func(h int) float64
		days   int
		most   float64 // error allowed without noise
		method string  // where only one will do
	}{
		"constant":              {func(int) float64 { return 700 }, 14, 0, "flat"},
		"daily":                 {func(h int) float64 { return 100 + 900*day(h) }, 14, 0, "daily profile"},
		"daily, after one day":  {func(h int) float64 { return 100 + 900*day(h) }, 1, 0, "daily profile"},
		"daily, after two days": {func(h int) float64 { return 100 + 900*day(h) }, 2, 0, "daily profile"},
		"quiet weekends":        {quiet(weekend), 14, .01, "profile of working days and weekends"},
		"quiet weekends, seen on the second Friday": {quiet(weekend), 12, .01, ""},
		"each day of the week its own":              {func(h int) float64 { return (100 + 900*day(h)) * float64(1+h/24%7) }, 14, .01, "weekly profile"},
		"growing by 5 % of a day each day": {func(h int) float64 {
			return (100 + 900*day(h)) * (1 + .05*float64(h)/24)
		}, 14, .01, ""},
		"shrinking": {func(h int) float64 { return (100 + 900*day(h)) * (2 - .1*float64(h)/24) }, 14, .05, ""},
		"a step up three days ago": {func(h int) float64 {
			if h < 11*24 {
				return 100 + 900*day(h)
			}
			return 2 * (100 + 900*day(h))
		}, 14, .01, ""},
	}
	for name, c := range courses {
		t.Run(name, func(t *testing.T) {
			hours := 24 * c.days
			f, ok := Make(load(hours, c.course))
			if e := off(f, c.course, hours); !ok || e > c.most+1e-9 {
				t.Errorf("%s is off by %.3f, want at most %.3f", f.Method, e, c.most)
			}
			if c.method != "" && f.Method != c.method {
				t.Errorf("method %q, want %q", f.Method, c.method)
			}
			var worst float64
			for seed := range uint64(20) {
				n := noise(seed, .1)
				f, _ := Make(load(hours, func(h int) float64 { return max(0, c.course(h)*n()) }))
				worst = max(worst, off(f, c.course, hours))
			}
			t.Logf("%s: off by %.3f; with noise by up to %.3f", f.Method, off(f, c.course, hours), worst)
			if allowed := c.most + .12; worst > allowed {
				t.Errorf("with 10 %% noise off by up to %.3f in 20 seeds, want at most %.3f", worst, allowed)
			}
		})
	}
}

// quiet is a load with quiet weekends.
func quiet(weekend func(int) bool) func(int) float64 {
	return func(h int) float64 {
		if weekend(h) {
			return 200 + 100*day(h)
		}
		return 100 + 900*day(h)
	}
}

func TestSpikeDayDoesNotComeBack(t *testing.T) {
	usual := func(h int) float64 { return 100 + 900*day(h) }
	for ago := range 7 {
		f, _ := Make(load(14*24, func(h int) float64 {
			if h/24 == 13-ago {
				return 5 * usual(h)
			}
			return usual(h)
		}))
		if e := off(f, usual, 14*24); e > .02 {
			t.Errorf("spike %d days ago: %s is off by %.3f", ago, f.Method, e)
		}
	}
}

func TestHolesDoNotBendTheForecast(t *testing.T) {
	usual := func(h int) float64 { return 100 + 900*day(h) }
	for name, hole := range map[string]func(h int) bool{
		"two hours each day, never the same": func(h int) bool { return h%24 == h/24 || h%24 == 12+h/24%12 },
		"two whole days":                     func(h int) bool { return h/24 == 5 || h/24 == 6 },
		"the last day":                       func(h int) bool { return h/24 == 13 },
		"all but the last 30 hours":          func(h int) bool { return h < 14*24-30 },
		"every second hour":                  func(h int) bool { return h/24%2 == h%2 },
	} {
		t.Run(name, func(t *testing.T) {
			f, ok := Make(load(14*24, func(h int) float64 {
				if hole(h) {
					return math.NaN()
				}
				return usual(h)
			}))
			if e := off(f, usual, 14*24); !ok || e > .01 {
				t.Errorf("%s is off by %.3f (%v)", f.Method, e, ok)
			}
		})
	}
}

func TestTrust(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	wild := func(int) float64 { return math.Exp(3 * r.NormFloat64()) }
	regular := func(h int) float64 { return 100 + 900*day(h) }
	for _, c := range []struct {
		name    string
		past    Series
		made    bool
		trusted bool
	}{
		{"23 hours are too few", load(23, regular), false, false},
		{"24 hours make a forecast that was never tried", load(24, regular), true, false},
		{"35 hours have 11 to try it on", load(35, regular), true, false},
		{"36 hours", load(36, regular), true, true},
		{"14 regular days", load(14*24, regular), true, true},
		{"14 days without rule", load(14*24, wild), true, false},
		{"nothing but zeros", load(14*24, func(int) float64 { return 0 }), true, true},
		{"nothing", Series{Start: start}, false, false},
		{"nothing but holes", load(14*24, func(int) float64 { return math.NaN() }), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, ok := Make(c.past)
			if ok != c.made || ok && f.Trusted() != c.trusted {
				t.Errorf("made %v, error %v; want made %v, trusted %v", ok, f.Error, c.made, c.trusted)
			}
		})
	}
}

// TestForecastIsNeverWild draws pasts of all kinds, sound and not.
func TestForecastIsNeverWild(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SampledFrom([]string{"any", "sound", "sparse"}).Draw(t, "kind")
		hours := rapid.IntRange(0, 20*24).Draw(t, "hours")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		past := load(hours, func(h int) float64 {
			switch {
			case kinds == "any" && r.IntN(4) == 0:
				return []float64{math.NaN(), math.Inf(1), math.Inf(-1), -5, math.MaxFloat64, 0, 1e-300, 1e99}[r.IntN(8)]
			case kinds == "sparse" && r.IntN(10) > 0:
				return math.NaN()
			}
			return 1000 * day(h) * r.Float64()
		})
		f, ok := Make(past)
		if !ok {
			return
		}
		most := 0.0
		for _, v := range past.clean().Values {
			if v > most {
				most = v
			}
		}
		if len(f.Values) != Ahead || !f.Start.Equal(past.End()) || f.Error < 0 || math.IsInf(f.Error, 0) {
			t.Fatalf("forecast %+v", f)
		}
		for i, v := range f.Values {
			if !(v >= 0 && v <= 2*most) {
				t.Fatalf("hour %d: %v, and the most ever was %v", i, v, most)
			}
			if n := Tasks(v, 3000); n < 0 || n > 1e6 {
				t.Fatalf("hour %d: %d tasks", i, n)
			}
		}
	})
}

// TestForecastIgnoresWhenItIs moves the past by whole weeks.
func TestForecastIgnoresWhenItIs(t *testing.T) {
	n := noise(7, .2)
	past := load(14*24, func(h int) float64 { return (100 + 900*day(h)) * n() })
	moved := Series{Start: past.Start.AddDate(0, 0, 7*53), Values: past.Values}
	a, _ := Make(past)
	b, _ := Make(moved)
	if fmt.Sprint(a.Values, a.Error, a.Method) != fmt.Sprint(b.Values, b.Error, b.Method) {
		t.Errorf("a past one year later is foretold otherwise:\n%+v\n%+v", a, b)
	}
}

func TestHours(t *testing.T) {
	var minutes []Minute
	add := func(from, n int, v float64) {
		for i := range n {
			minutes = append(minutes, Minute{start.Add(time.Duration(from+i) * time.Minute), v})
		}
	}
	add(-10, 10, 1e6) // before it
	add(0, 60, 2)     // a whole hour
	add(60, 45, 2)    // three quarters of one
	add(120, 29, 2)   // too little of one
	add(240, 60, 1e6) // behind it
	got := Hours(minutes, start, 4, Dense()).Values
	if want := []float64{120, 120, math.NaN(), math.NaN()}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Hours = %v, want %v", got, want)
	}
	if got := Hours(minutes, start, 1, Of{Each: 60, Mean: true}).Values[0]; got != 2 {
		t.Errorf("mean of an hour = %v, want 2", got)
	}
}

// A metric that is published every five minutes has twelve in an hour; one of
// its hours misses two, another seven.
func TestHoursOfWhatIsPublishedSeldom(t *testing.T) {
	var minutes []Minute
	for h, n := range []int{12, 12, 10, 5, 12} {
		for i := range n {
			minutes = append(minutes, Minute{start.Add(time.Duration(h)*time.Hour + time.Duration(5*i)*time.Minute), 3})
		}
	}
	for _, c := range []struct {
		of   Of
		want []float64
	}{
		{Usual(minutes, false), []float64{36, 36, 36, math.NaN(), 36}},
		{Usual(minutes, true), []float64{3, 3, 3, math.NaN(), 3}},
		{Usual(nil, true), []float64{3, 3, 3, 3, 3}},
	} {
		if got := Hours(minutes, start, 5, c.of).Values; fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("Hours by %+v = %v, want %v", c.of, got, c.want)
		}
	}
}

func TestLearn(t *testing.T) {
	// One request costs 0.5 % of a minute of one task's CPU: at 50 % a task
	// carries 100 requests a minute, 6000 an hour.
	var load, cpu, tasks []Minute
	for i := range 120 {
		at, n := start.Add(time.Duration(i)*time.Minute), float64(2+i/30)
		requests := float64(100 + i)
		load = append(load, Minute{at, requests})
		tasks = append(tasks, Minute{at, n})
		if i%7 > 0 { // no datapoint now and then
			cpu = append(cpu, Minute{at, .5 * requests / n})
		}
	}
	carry, ok := Learn(load, cpu, tasks, 50, Dense())
	if !ok || math.Abs(carry-6000) > 1e-6 {
		t.Errorf("Learn = %v, %v, want 6000", carry, ok)
	}
	if carry, ok = Learn(load, cpu, tasks, 50, Of{Each: 60, Mean: true}); !ok || math.Abs(carry-100) > 1e-6 {
		t.Errorf("Learn of a mean = %v, %v, want 100", carry, ok)
	}
	for name, c := range map[string][3][]Minute{
		"no load": {nil, cpu, tasks}, "no metric": {load, nil, tasks}, "no tasks": {load, cpu, nil},
		"an idle metric": {load, zero(cpu), tasks}, "an idle load": {zero(load), cpu, tasks},
	} {
		if carry, ok := Learn(c[0], c[1], c[2], 50, Dense()); ok {
			t.Errorf("%s: Learn = %v", name, carry)
		}
	}
}

func zero(in []Minute) []Minute {
	out := make([]Minute, len(in))
	for i, m := range in {
		out[i] = Minute{At: m.At}
	}
	return out
}

func TestTasks(t *testing.T) {
	for _, c := range []struct {
		load, carry float64
		want        int
	}{{0, 3000, 0}, {1, 3000, 1}, {3000, 3000, 1}, {3000.1, 3000, 2}, {23400, Carry(50), 8}, {1e99, 1, 1e6}} {
		if got := Tasks(c.load, c.carry); got != c.want {
			t.Errorf("Tasks(%v, %v) = %d, want %d", c.load, c.carry, got, c.want)
		}
	}
}
