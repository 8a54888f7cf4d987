package report_test

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"neargate/internal/cli/report"
)

// sample is a run as it may look: up, held, and back.
func sample() report.Run {
	r := report.Run{
		Title: "Load testing <web>", Started: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC), Length: 150 * time.Second,
		Setting: []report.Pair{{Name: "service", Value: "web"}}, Summary: []report.Pair{{Name: "peak tasks", Value: "8"}},
		Verdict: "scaled out from 2 to 8 tasks and back, no request failed", Passed: true,
		Target: 50, Min: 2, Max: 20,
		Marks: []report.Mark{
			{At: 0, Kind: report.Phase, Text: "load begins"},
			{At: 4 * time.Second, Kind: report.Activity, Text: "Setting desired count to 8.", Detail: "offered 0.9 vCPU & more"},
			{At: 5 * time.Second, Kind: report.Event, Text: "(service web) has started 6 tasks: <script>"},
			{At: 100 * time.Second, Kind: report.Phase, Text: "load ends"},
		},
	}
	for i := range 150 {
		s := report.Second{At: time.Duration(i) * time.Second, P50: math.NaN(), P99: math.NaN(), CPU: math.NaN(), Desired: 2, Running: 2}
		if i < 100 {
			s.Users, s.Requests = min(50, i*2), min(24, i)
			s.P50, s.P99 = 180+40*math.Sin(float64(i)/9), 420+90*math.Sin(float64(i)/5)
			s.CPU, s.Desired, s.Running = 50+8*math.Sin(float64(i)/4), 8, min(8, 2+i/2)
		} else if i < 110 {
			s.Draining = 6
		}
		r.Seconds = append(r.Seconds, s)
	}
	return r
}

func TestHTMLIsOneSafePage(t *testing.T) {
	var b bytes.Buffer
	if err := report.HTML(&b, sample()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"Load testing &lt;web&gt;", "offered 0.9 vCPU &amp; more", "has started 6 tasks: &lt;script&gt;", "Setting desired count to 8.", "<polyline"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"http://", "https://", "src=", "NaN"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	keep(t, "report.html", b.Bytes())
}

func TestPNGIsAPictureWithSomethingOnIt(t *testing.T) {
	var b bytes.Buffer
	if err := report.PNG(&b, sample()); err != nil {
		t.Fatal(err)
	}
	keep(t, "load-testing.png", b.Bytes())
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	colours := map[string]int{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 3 {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x += 3 {
			colours[fmt.Sprint(img.At(x, y))]++
		}
	}
	if len(colours) < 20 {
		t.Errorf("the picture has %d colours", len(colours))
	}
}

func TestCSVHasALineASecond(t *testing.T) {
	var b bytes.Buffer
	if err := report.CSV(&b, sample()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 151 {
		t.Errorf("%d lines, want a heading and 150", len(lines))
	}
	if got, want := lines[len(lines)-1], "149,0,0,0,,,,2,2,0"; got != want {
		t.Errorf("last line %q, want %q", got, want)
	}
}

func TestEventsAreOneALineWithTheirReason(t *testing.T) {
	var b bytes.Buffer
	if err := report.Events(&b, sample()); err != nil {
		t.Fatal(err)
	}
	want := "2026-05-06T07:08:13.000Z  activity  Setting desired count to 8.  offered 0.9 vCPU & more\n"
	if !strings.Contains(b.String(), want) {
		t.Errorf("events:\n%s\nlack %q", b.String(), want)
	}
}

// keep leaves an output in the directory that KEEP names, to be looked at.
func keep(t *testing.T, name string, data []byte) {
	t.Helper()
	dir := os.Getenv("KEEP")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}
