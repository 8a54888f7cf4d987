package traffic_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"neargate/internal/traffic"
)

func pattern(t *testing.T, text string) []float64 {
	t.Helper()
	p, err := traffic.ParsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return p.Rates(rand.New(rand.NewPCG(1, 2)).Float64)
}

func TestPatternLevels(t *testing.T) {
	for _, row := range []struct {
		name, text string
		length     int
		at         map[int]float64
	}{
		{"hold", "hold:high=7,for=20s", 20, map[int]float64{0: 7, 19: 7}},
		{"ramp", "ramp:low=0,high=10,over=10s,for=20s", 20, map[int]float64{0: 0.5, 9: 9.5, 10: 10, 19: 10}},
		{"stages", "stages:10@10s,10-20@10s,5@5s", 25, map[int]float64{0: 10, 10: 10.5, 19: 19.5, 20: 5, 24: 5}},
		{"step", "step:at=5s,for=10s", 10, map[int]float64{4: 10, 5: 80}},
		{"one spike", "spike:at=5s,width=2s,every=0s,for=30s", 30, map[int]float64{4: 10, 5: 80, 6: 80, 7: 10, 29: 10}},
		{"spikes", "spike:at=5s,width=2s,every=10s,for=30s", 30, map[int]float64{5: 80, 7: 10, 15: 80, 25: 80, 27: 10}},
		{"sine", "sine:low=0,high=100,period=20s,for=20s", 20, map[int]float64{0: 0.6, 10: 99.4}},
		{"onoff", "onoff:on=2s,off=3s,for=10s", 10, map[int]float64{0: 10, 2: 10, 3: 80, 4: 80, 5: 10}},
		{"flash", "flash:low=0,high=100,at=2s,over=2s,decay=10s,for=30s", 30, map[int]float64{1: 0, 2: 25, 3: 75, 14: 100 * math.Exp(-1.05)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := pattern(t, row.text)
			if len(got) != row.length {
				t.Fatalf("%d seconds, want %d", len(got), row.length)
			}
			for i, want := range row.at {
				if math.Abs(got[i]-want) > 0.05 {
					t.Errorf("second %d: %v, want %v", i, got[i], want)
				}
			}
		})
	}
}

func TestPatternAtRandomIsTheSeedsAlone(t *testing.T) {
	a, b := pattern(t, "mmpp:for=2h"), pattern(t, "mmpp:for=2h")
	if !slices.Equal(a, b) {
		t.Error("one seed gave two loads")
	}
	on := 0
	for _, r := range a {
		if r == 80 {
			on++
		} else if r != 10 {
			t.Fatalf("rate %v is neither low nor high", r)
		}
	}
	if share := float64(on) / float64(len(a)); share < 0.2 || share > 0.6 {
		t.Errorf("high in %.2f of the time, want about 0.4", share)
	}
}

func TestParsePatternRefuses(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", `shape "": want one of hold, ramp, stages, step, spike, sine, onoff, mmpp, flash`},
		{"stairs", `shape "stairs": want one of hold, ramp, stages, step, spike, sine, onoff, mmpp, flash`},
		{"step:", `shape step has no "" (it takes low, high, at, for)`},
		{"step:hihg=3", `shape step has no "hihg" (it takes low, high, at, for)`},
		{"step:high=-3", "shape step: high: rate -3 is negative"},
		{"step:high=NaN", "shape step: high: rate NaN is not a finite number"},
		{"step:for=9", `shape step: for "9" is not a duration such as 90s or 2m`},
		{"step:for=0s", "shape step: a length of 0s is below a second"},
		{"step:for=100000h", "shape step: longer than 31 days"},
		{"sine:period=0s", "shape sine: periods must be at least a second"},
		{"stages:", `stage "": want RATE@TIME or FROM-TO@TIME, such as 10-80@30s`},
		{"stages:10@1m,x@1m", `stage "x@1m": want RATE@TIME or FROM-TO@TIME, such as 10-80@30s`},
	} {
		_, err := traffic.ParsePattern(row.text)
		if err == nil || err.Error() != row.want {
			t.Errorf("%q: got %v\nwant %s", row.text, err, row.want)
		}
	}
}
