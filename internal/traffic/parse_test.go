package traffic_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/traffic"
)

func TestParseTrace(t *testing.T) {
	for _, row := range []struct {
		name, text string
		step       time.Duration
		rates      []float64
	}{
		{"a number a line", "1\n2.5\n0\n", time.Second, []float64{1, 2.5, 0}},
		{"no new line at the end", "1\n2", time.Second, []float64{1, 2}},
		{"one line", "7\n", time.Second, []float64{7}},
		{"named", "rps\n1\n2\n", time.Second, []float64{1, 2}},
		{"windows", "\ufeff1\r\n2\r\n", time.Second, []float64{1, 2}},
		{"comments and empty lines", "# from a log\n\n1\n# half\n2\n", time.Second, []float64{1, 2}},
		{"times in seconds", "0,5\n10,6\n20,7\n", 10 * time.Second, []float64{5, 6, 7}},
		{"fractions of a second", "0,5\n0.1,6\n0.2,7\n", 100 * time.Millisecond, []float64{5, 6, 7}},
		{"epoch", "1700000000,5\n1700000060,6\n", time.Minute, []float64{5, 6}},
		{"RFC 3339", "time,rate\n2026-01-01T00:00:00Z,5\n2026-01-01T00:01:00Z,6\n", time.Minute, []float64{5, 6}},
		{"per minute", "time,requests_per_minute\n1998-06-30 00:00:00,60\n1998-06-30 00:01:00,120\n", time.Minute, []float64{1, 2}},
		{"per hour", "time,requests per hour\n0,3600\n3600,7200\n", time.Hour, []float64{1, 2}},
		{"counts of the interval", "time,requests\n0,50\n10,100\n", 10 * time.Second, []float64{5, 10}},
		{"a name that says nothing", "t,x\n0,5\n1,6\n", time.Second, []float64{5, 6}},
		{"semicolons, quotes, spaces", "\"time\"; \"rps\"\n0; 5\n1; 6\n", time.Second, []float64{5, 6}},
		{"tabs", "0\t5\n1\t6\n", time.Second, []float64{5, 6}},
		{"jitter", "0,5\n10,6\n19.99,7\n30,8\n", 10 * time.Second, []float64{5, 6, 7, 8}},
		{"exponents", "1e2\n2E-1\n", time.Second, []float64{100, 0.2}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := traffic.ParseTrace(row.text, false)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(row.rates, got.Rates); d != "" || got.Step != row.step {
				t.Errorf("step %v, want %v; rates %s", got.Step, row.step, d)
			}
		})
	}
}

func TestParseTraceRefuses(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", "no load: there is no line with a rate"},
		{"comments alone", "# none\n\n", "no load: there is no line with a rate"},
		{"a header alone", "time,rate\n", "no load: there is no line with a rate"},
		{"a word", "1\nmany\n", `line 2: rate "many" is not a number`},
		{"a slip in the first line", "1o7\n1\n", `line 1: rate "1o7" is not a number`},
		{"negative", "1\n-2\n", "line 2: rate -2 is negative"},
		{"NaN", "1\nNaN\n", "line 2: rate NaN is not a finite number"},
		{"NaN first", "NaN\n1\n", "line 1: rate NaN is not a finite number"},
		{"infinite", "1\n-Inf\n", "line 2: rate -Inf is not a finite number"},
		{"overflow", "1\n1e999\n", `line 2: rate "1e999" is not a number`},
		{"beyond sense", "1\n1e12\n", `line 2: rate "1e12" is above 1e+09`},
		{"hexadecimal", "0x10\n", `line 1: rate "0x10" is not a number`},
		{"no rate", "time,rate\n0,\n", "line 2: no rate"},
		{"one line with a time", "time,rate\n0,5\n", "line 2: one line with a time gives no interval"},
		{"backwards", "0,5\n10,5\n5,5\n", "line 3: time 5 goes backwards"},
		{"twice", "0,5\n10,5\n10,5\n", "line 3: time 10 for the second time"},
		{"a gap", "0,5\n10,5\n20,5\n50,5\n", "line 4: a gap: 30s after the line before, where the interval is 10s"},
		{"uneven", "0,5\n10,5\n20,5\n21,5\n", "line 4: 1s after the line before, where the interval is 10s"},
		{"too fine", "0,5\n0.00001,5\n", "line 2: an interval of 10µs is below a millisecond"},
		{"too long", "0,5\n86400000,5\n", "line 2: time 86400000 is more than 31 days after the first"},
		{"no time", "yesterday at 5,5\n0,5\n", `line 1: time "yesterday at 5" is not seconds, RFC 3339 or "2006-01-02 15:04:05"`},
		{"two kinds of time", "0,5\n2026-01-01T00:00:00Z,5\n", `line 2: time "2026-01-01T00:00:00Z" is not a number of seconds, as on the lines before`},
		{"three columns", "time,rate,errors\n0,5,0\n", "line 1: 3 columns (want one number, or time,rate)"},
		{"a column lost", "0,5\n7\n", "line 2: 1 column where the lines before have 2"},
		{"a million columns", strings.Repeat("1,", 1_000_000) + "\n", "line 1: longer than 1024 bytes (want one number, or time,rate)"},
		{"control character", "time,e\rsts_per_minute\n", `line 1: control character in "e\rsts_per_minute"`},
		{"minutes without times", "requests_per_minute\n5\n", "line 1: requests_per_minute without a column of times (without times, a line is a second)"},
		{"too many lines", strings.Repeat("1\n", 8<<20+1), "line 8388609: more than 8388608 intervals"},
		{"too much", strings.Repeat("1\n", traffic.MaxTraceBytes/2+1), "load of more than 64 MiB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := traffic.ParseTrace(row.text, false)
			if err == nil || err.Error() != row.want {
				t.Errorf("got %v\nwant %s", err, row.want)
			}
		})
	}
}

func TestParseTraceFillsGapsWhenTold(t *testing.T) {
	got, err := traffic.ParseTrace("0,5\n10,5\n20,10\n50,40\n60,5\n", true)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float64{5, 5, 10, 20, 30, 40, 5}, got.Rates); d != "" || got.Filled != 2 {
		t.Errorf("filled %d, rates %s", got.Filled, d)
	}
	_, err = traffic.ParseTrace("0,5\n0.001,5\n0.002,5\n2600000,5\n", true)
	if want := "line 4: more than 8388608 intervals"; err == nil || err.Error() != want {
		t.Errorf("a gap of 30 days in a record by the millisecond: got %v, want %s", err, want)
	}
}

func TestSecondsOfARecord(t *testing.T) {
	minute := traffic.Trace{Step: 4 * time.Second, Rates: []float64{8, 16}}
	if d := cmp.Diff([]float64{8, 8, 9, 11, 13, 15, 16, 16}, minute.Seconds()); d != "" {
		t.Errorf("a coarse record, through the middles: %s", d)
	}
	fine := traffic.Trace{Step: 400 * time.Millisecond, Rates: []float64{10, 10, 20, 0, 5}}
	got := fine.Seconds()
	want := []float64{0.4*10 + 0.4*10 + 0.2*20, 0.2*20 + 0.4*0 + 0.4*5}
	for i := range want {
		if len(got) != 2 || math.Abs(got[i]-want[i]) > 1e-9 {
			t.Fatalf("a fine record: got %v, want %v", got, want)
		}
	}
}

func TestScaleToPeakIgnoresNoise(t *testing.T) {
	rates := make([]float64, 100)
	for i := range rates {
		rates[i] = 10
	}
	rates[50] = 20 // one second of luck: the smoothed peak is 11
	got, err := traffic.ScaleToPeak(rates, 22)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got[0]-20) > 1e-9 {
		t.Errorf("got %v, want 20: the peak of the mean of 10 s, 11, at 22", got[0])
	}
	if _, err := traffic.ScaleToPeak(make([]float64, 5), 22); err == nil {
		t.Error("a load of nothing was scaled")
	}
}

func TestCut(t *testing.T) {
	rates := []float64{0, 1, 2, 3, 4}
	got, err := traffic.Cut(rates, time.Second, 3*time.Second)
	if d := cmp.Diff([]float64{1, 2, 3}, got); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	for _, bad := range [][2]time.Duration{{5 * time.Second, 0}, {3 * time.Second, 3 * time.Second}, {-1, 0}} {
		if _, err := traffic.Cut(rates, bad[0], bad[1]); err == nil {
			t.Errorf("cut %v passed", bad)
		}
	}
}

func FuzzParseTrace(f *testing.F) {
	for _, s := range []string{"1\n2\n", "time,requests_per_minute\n1998-06-30 00:00:00,60\n1998-06-30 00:01:00,120\n", "0,5\n10,6\n40,7\n", "\ufeff\"a\";\"rpm\"\r\n0;1\r\n1;2"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, fill bool) {
		tr, err := traffic.ParseTrace(text, fill)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("an error of more than one line: %q", err)
			}
			return
		}
		if tr.Length() > traffic.MaxTraceLength || len(tr.Rates) == 0 {
			t.Fatalf("length %v, %d rates", tr.Length(), len(tr.Rates))
		}
		if len(tr.Rates) > 1<<20 { // slow, and no different
			return
		}
		for i, r := range tr.Seconds() {
			if !(r >= 0) || math.IsInf(r, 0) {
				t.Fatalf("second %d: rate %v", i, r)
			}
		}
	})
}
