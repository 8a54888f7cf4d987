package health_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"neargate/internal/decide/health"
	"neargate/internal/model"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func check() model.HealthCheck {
	return model.HealthCheck{Interval: 30 * time.Second, Timeout: 5 * time.Second, HealthyThreshold: 5, UnhealthyThreshold: 2, Matcher: "200"}
}

type seen struct {
	after  time.Duration
	result health.Result
}

func ok(after time.Duration) seen { return seen{after, health.Result{Code: 200}} }
func code(after time.Duration, c int) seen {
	return seen{after, health.Result{Code: c}}
}
func refused(after time.Duration) seen { return seen{after, health.Result{Outcome: health.Broken}} }
func hung(after time.Duration) seen    { return seen{after, health.Result{Outcome: health.TimedOut}} }

func TestStateObserve(t *testing.T) {
	ms, s := time.Millisecond, time.Second
	rows := []struct {
		name  string
		seen  []seen
		state string
		words string
		since time.Duration
	}{
		{"just registered", nil, "initial", "Elb.RegistrationInProgress: Target registration is in progress", 0},
		{"one success is enough for a new target", []seen{ok(3 * ms)}, "healthy", ": ", 3 * ms},
		{"many early refusals do not count", []seen{refused(0), refused(10 * ms), refused(20 * ms), refused(59 * s)}, "initial", "Elb.InitialHealthChecking: Initial health checks in progress", 0},
		{"early wrong codes do not count either", []seen{code(0, 503), code(10*ms, 503), code(20*ms, 503)}, "initial", "Elb.InitialHealthChecking: Initial health checks in progress", 0},
		{"still refused after two intervals", []seen{refused(0), refused(60 * s)}, "unhealthy", "Target.FailedHealthChecks: Health checks failed", 60 * s},
		{"late start within two intervals", []seen{refused(0), ok(59 * s)}, "healthy", ": ", 59 * s},
		{"one failure is forgiven", []seen{ok(0), code(30*s, 500), ok(60 * s), code(90*s, 500)}, "healthy", ": ", 0},
		{"two failures in a row", []seen{ok(0), code(30*s, 500), code(60*s, 502)}, "unhealthy", "Target.ResponseCodeMismatch: Health checks failed with these codes: [502]", 60 * s},
		{"the last failure gives the words", []seen{ok(0), code(30*s, 500), code(60*s, 502), hung(90 * s)}, "unhealthy", "Target.Timeout: Request timed out", 60 * s},
		{"four successes do not heal", []seen{refused(60 * s), ok(90 * s), ok(120 * s), ok(150 * s), ok(180 * s)}, "unhealthy", "Target.FailedHealthChecks: Health checks failed", 60 * s},
		{"five successes heal", []seen{refused(60 * s), ok(90 * s), ok(120 * s), ok(150 * s), ok(180 * s), ok(210 * s)}, "healthy", ": ", 210 * s},
		{"a failure breaks the row of successes", []seen{refused(60 * s), ok(90 * s), ok(120 * s), ok(150 * s), ok(180 * s), refused(210 * s), ok(240 * s)}, "unhealthy", "Target.FailedHealthChecks: Health checks failed", 60 * s},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			st := health.New(start)
			for _, x := range r.seen {
				st = st.Observe(check(), x.result, start.Add(x.after))
			}
			got := []any{st.Name, st.Reason + ": " + st.Description, st.Since.Sub(start)}
			if d := cmp.Diff(got, []any{r.state, r.words, r.since}); d != "" {
				t.Errorf("got -, want +:\n%s", d)
			}
		})
	}
}

func TestNextSchedule(t *testing.T) {
	st := health.New(start)
	rows := []struct {
		name         string
		state        health.State
		began, ended time.Duration
		at, connect  time.Duration
	}{
		{"new, refused at once", st, 0, 0, 10 * time.Millisecond, 100 * time.Millisecond},
		{"new, waiting for a second", st, time.Second, time.Second, 1100 * time.Millisecond, 1100 * time.Millisecond},
		{"new, waiting for a minute", st, 59 * time.Second, 60 * time.Second, 66 * time.Second, 5 * time.Second},
		{"healthy, quick answer", health.State{Name: health.Healthy, Since: start}, 0, time.Millisecond, 30 * time.Second, 5 * time.Second},
		{"healthy, slow answer does not shift", health.State{Name: health.Healthy, Since: start}, 0, 4 * time.Second, 30 * time.Second, 5 * time.Second},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got := r.state.Next(check(), start.Add(r.began), start.Add(r.ended))
			want := health.Plan{At: start.Add(r.at), Connect: r.connect, Timeout: 5 * time.Second}
			if d := cmp.Diff(got, want); d != "" {
				t.Errorf("got -, want +:\n%s", d)
			}
		})
	}
}

// A program that begins to listen at any time is found soon after, and the
// number of probes spent on waiting stays small.
func TestNextFindsListenerSoon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hc := check()
		hc.Interval = time.Duration(rapid.IntRange(5, 300).Draw(t, "interval")) * time.Second
		listens := time.Duration(rapid.Int64Range(0, int64(2*hc.Interval)-1).Draw(t, "listens"))
		st, now, probes := health.New(start), start, 0
		for now.Sub(start) < listens {
			st = st.Observe(hc, health.Result{Outcome: health.Broken}, now)
			if st.Name != health.Initial {
				t.Fatalf("%s after %v, before AWS would judge", st.Name, now.Sub(start))
			}
			now = st.Next(hc, now, now).At
			probes++
		}
		if late := now.Sub(start) - listens; late > 10*time.Millisecond+listens/10 {
			t.Fatalf("found %v after it listened at %v", late, listens)
		}
		if probes > 110 {
			t.Fatalf("%d probes", probes)
		}
	})
}

// Whatever the results, a healthy target had a success last or few failures
// since, and the streak stays under the threshold.
func TestStateObserveBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hc := check()
		hc.HealthyThreshold = rapid.IntRange(2, 10).Draw(t, "healthy")
		hc.UnhealthyThreshold = rapid.IntRange(2, 10).Draw(t, "unhealthy")
		st, now, passes, fails := health.New(start), start, 0, 0
		for range rapid.IntRange(1, 60).Draw(t, "probes") {
			now = now.Add(hc.Interval)
			was, r := st.Name, health.Result{Code: rapid.SampledFrom([]int{200, 500}).Draw(t, "code")}
			st = st.Observe(hc, r, now)
			if r.Code == 200 {
				passes, fails = passes+1, 0
			} else {
				passes, fails = 0, fails+1
			}
			switch {
			case was == health.Healthy && (st.Name == health.Unhealthy) != (fails >= hc.UnhealthyThreshold):
				t.Fatalf("healthy became %s after %d failures of %d", st.Name, fails, hc.UnhealthyThreshold)
			case was == health.Unhealthy && (st.Name == health.Healthy) != (passes >= hc.HealthyThreshold):
				t.Fatalf("unhealthy became %s after %d successes of %d", st.Name, passes, hc.HealthyThreshold)
			case was == health.Initial && passes > 0 && st.Name != health.Healthy:
				t.Fatalf("initial became %s after a success", st.Name)
			}
		}
	})
}

func TestMatcher(t *testing.T) {
	rows := []struct {
		matcher string
		code    int
		matches bool
		valid   bool
	}{
		{"200", 200, true, true},
		{"200", 201, false, true},
		{"200,202", 202, true, true},
		{"200-299,301", 250, true, true},
		{"200-299,301", 301, true, true},
		{"200-299,301", 300, false, true},
		{"200-599", 500, true, false},
		{"299-200", 250, false, false},
		{"abc", 200, false, false},
		{"200,", 200, true, false},
		{"100", 100, true, false},
	}
	for _, r := range rows {
		if got := health.Matches(r.matcher, r.code); got != r.matches {
			t.Errorf("Matches(%q, %d) = %v", r.matcher, r.code, got)
		}
		if got := health.CheckMatcher(r.matcher) == nil; got != r.valid {
			t.Errorf("CheckMatcher(%q) valid = %v", r.matcher, got)
		}
	}
}
