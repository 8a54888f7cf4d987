package simulate_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"neargate/internal/cli/simulate"
)

// outputs runs a simulation and gives all that it writes.
func outputs(t *testing.T, c simulate.Config) map[string]string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	c.CSV, c.Summary, c.HTML = "seconds.csv", "summary.csv", "page.html"
	var table bytes.Buffer
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := simulate.Run(t.Context(), c, &table); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"table": table.String()}
	for _, name := range []string{c.CSV, c.Summary, c.HTML} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
	}
	return all
}

func step() simulate.Config {
	c := simulate.Default()
	c.Shape, c.Seeds = "step:low=10,high=60,at=1m,for=4m", 2
	c.Timings, c.Against = []string{"live", "aws-20"}, []string{"fixed:12"}
	return c
}

func TestSameSeedSameBytes(t *testing.T) {
	a, b := outputs(t, step()), outputs(t, step())
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("two runs of one seed write two %s", name)
		}
	}
	c := step()
	c.Seed = 9
	for name, text := range outputs(t, c) {
		if text == a[name] {
			t.Errorf("two seeds write one %s", name)
		}
	}
}

func TestPageIsWholeAndNeedsNothingElse(t *testing.T) {
	page := outputs(t, step())["page.html"]
	for _, want := range []string{"Tasks: clairvoyant 50 %", "Tasks: cpu-50 live", "Tasks: cpu-50 aws-20", "Tasks: fixed:12", "Latency p99, ms", "Task-minutes beyond", "Scaling orders"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"http://", "https://", "src=", "NaN", "Inf"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
}

func TestSecondsAddUpToTheSummary(t *testing.T) {
	all := outputs(t, step())
	lines := strings.Split(strings.TrimSpace(all["seconds.csv"]), "\n")
	if want := 1 + 4*240; len(lines) != want {
		t.Errorf("%d lines by the second, want %d: a head, four policies, 240 seconds", len(lines), want)
	}
	if lines := strings.Split(strings.TrimSpace(all["summary.csv"]), "\n"); len(lines) != 1+4*2 {
		t.Errorf("%d lines of summary, want a head, four policies, two seeds", len(lines))
	}
}

func TestClairvoyantIsNeverTooSmall(t *testing.T) {
	c := step()
	c.Shape, c.Against, c.Timings = "spike:low=5,high=80,at=1m,width=20s,every=1m,for=6m", nil, []string{"live"}
	table := outputs(t, c)["summary.csv"]
	for line := range strings.Lines(table) {
		f := strings.Split(line, ",")
		if f[0] != "clairvoyant 50 %" {
			continue
		}
		if f[7] != "0" {
			t.Errorf("the clairvoyant has too few tasks in %s %% of the time", f[7])
		}
		if f[3] > "1.02" {
			t.Errorf("the clairvoyant costs %s of the least", f[3])
		}
	}
}

func TestValidateNamesTheFlag(t *testing.T) {
	for want, change := range map[string]func(*simulate.Config){
		"no load: give --load FILE or --shape PATTERN":               func(c *simulate.Config) { c.Shape = "" },
		"--load and --shape: give one or the other":                  func(c *simulate.Config) { c.Load = "x" },
		"--fill is for the gaps of a --load file":                    func(c *simulate.Config) { c.Fill = true },
		"--min 5 is above --max 3":                                   func(c *simulate.Config) { c.Min, c.Max = 5, 3 },
		"--start -1s: want 0 to 1h":                                  func(c *simulate.Config) { c.Start = -time.Second },
		"--cv -1: want 0 to 10":                                      func(c *simulate.Config) { c.CV = -1 },
		"--history 12h0m0s: want at least 24h":                       func(c *simulate.Config) { c.History = 12 * time.Hour },
		"--seeds 0: want 1 to 1000":                                  func(c *simulate.Config) { c.Seeds = 0 },
		`--timing "fast": want live, aws-60 or aws-20`:               func(c *simulate.Config) { c.Timings = []string{"fast"} },
		"--timing live is given twice":                               func(c *simulate.Config) { c.Timings = []string{"live", "live"} },
		"--csv, --summary and --html must be different files":        func(c *simulate.Config) { c.CSV, c.HTML = "x", "x" },
		"p.json would be overwritten: it is read as well":            func(c *simulate.Config) { c.CSV, c.Policies = "p.json", []string{"p.json"} },
		"--task-cpu 0: want 1 to 16384 CPU units; 1024 are one vCPU": func(c *simulate.Config) { c.CPU = 0 },
	} {
		c := simulate.Default()
		c.Shape = "step"
		change(&c)
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// TestForecastFloor: the load goes up each second hour. The forecast orders
// five minutes before, with its numbers for a reason, and fewer are late.
func TestForecastFloor(t *testing.T) {
	const plain = `{"TargetValue": 50, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}`
	const ahead = `{"PolicyName": "forecast", "PolicyType": "PredictiveScaling", "PredictiveScalingPolicyConfiguration": {"Mode": "ForecastAndScale",
		"MetricSpecifications": [{"TargetValue": 50, "PredefinedMetricPairSpecification": {"PredefinedMetricType": "ECSServiceCPUUtilization"}}]}}`
	dir := t.TempDir()
	c := simulate.Default()
	c.Start, c.Timings = time.Minute, []string{"live"}
	c.Shape, c.History = "onoff:low=5,high=40,on=1h,off=1h,for=98h", 96*time.Hour
	for name, text := range map[string]string{"plain": plain, "ahead": "[" + plain + "," + ahead + "]"} {
		path := filepath.Join(dir, name+".json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.Policies = append(c.Policies, path)
	}
	slices.Sort(c.Policies)
	all := outputs(t, c)
	if want := "ahead: forecast foretells by the "; !strings.Contains(all["table"], want) {
		t.Errorf("the table lacks %q:\n%s", want, all["table"])
	}
	if want := "forecast load 24000 of the hour from"; !strings.Contains(all["page.html"], want) {
		t.Errorf("the page lacks %q", want)
	}
	late := map[string]float64{}
	for line := range strings.Lines(all["summary.csv"]) {
		f := strings.Split(line, ",")
		late[f[0]], _ = strconv.ParseFloat(f[4], 64)
	}
	if late["plain"] == 0 || late["ahead"] > late["plain"]/2 {
		t.Errorf("late requests: %v %% with the forecast, %v %% without; want less than half", late["ahead"], late["plain"])
	}
}
