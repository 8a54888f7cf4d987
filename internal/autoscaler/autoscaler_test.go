package autoscaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
	"neargate/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// services is a scheduler whose tasks start and stop when told.
type services struct {
	mu     sync.Mutex
	all    map[string]model.Service
	refuse error
}

func (f *services) Service(cluster, name string) (model.Service, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if name == "panic" {
		panic("of a decision")
	}
	s, ok := f.all[cluster+"/"+name]
	return s, ok
}

func (f *services) SetDesiredCount(_ context.Context, cluster, service string, n int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return f.refuse
	}
	s := f.all[cluster+"/"+service]
	s.DesiredCount = n
	f.all[cluster+"/"+service] = s
	return nil
}

// book is an alarm book.
type book struct {
	mu     sync.Mutex
	all    map[string]model.Alarm
	recent map[string][]float64
}

func (b *book) PutAlarm(_ context.Context, al model.Alarm) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all[al.Name] = al
	return nil
}

func (b *book) DeleteAlarms(_ context.Context, names []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range names {
		delete(b.all, n)
	}
	return nil
}

func (b *book) Alarm(name string) (model.Alarm, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	al, ok := b.all[name]
	return al, ok
}

func (b *book) AlarmsFor(action string) []model.Alarm {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []model.Alarm
	for _, name := range slices.Sorted(maps.Keys(b.all)) {
		al := b.all[name]
		if slices.Contains(slices.Concat(al.OKActions, al.AlarmActions, al.InsufficientActions), action) {
			out = append(out, al)
		}
	}
	return out
}

func (b *book) Recent(name string) []float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.recent[name]
}

func (b *book) ring(part, state string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, al := range b.all {
		if strings.Contains(n, part) {
			al.State = state
			b.all[n] = al
		}
	}
}

// rig is an autoscaler over one service c/web of 2 tasks of one vCPU.
type rig struct {
	*Autoscaler
	t       testing.TB
	db      *store.DB
	sched   *services
	book    *book
	clock   time.Time
	running int

	readings []model.Reading
	asked    []string
}

const web = "service/c/web"

var place = model.Place{Region: "us-east-1", Account: "000000000000"}

func newRig(tb testing.TB, path string) *rig {
	tb.Helper()
	db, err := store.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	r := &rig{t: tb, db: db, book: &book{all: map[string]model.Alarm{}, recent: map[string][]float64{}}, clock: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), running: 2}
	r.sched = &services{all: map[string]model.Service{"c/web": {
		CreatedAt: r.clock,
		Name:      "web", Cluster: "c", Status: "ACTIVE", DesiredCount: 2,
		LoadBalancers: []model.ServiceLoadBalancer{{TargetGroupARN: place.TargetGroupARN("tg", "73e2d6bc24d8a067")}},
		Deployments:   []model.Deployment{{ID: "d", Status: "PRIMARY", RolloutState: "COMPLETED"}},
	}}}
	r.Autoscaler, err = New(db, r.sched, r.book, r, Config{Place: place}, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	r.now = func() time.Time { return r.clock }
	return r
}

// Returned returns what a test has put there.
func (r *rig) Returned(queries []model.MetricQuery, fine bool, _ time.Time) ([]model.Reading, error) {
	r.asked = append(r.asked, fmt.Sprint(queries[0].Metric.Name, queries[0].Period, fine))
	return r.readings, nil
}

func fresh(t *testing.T) *rig {
	t.Helper()
	return newRig(t, filepath.Join(t.TempDir(), "state.db"))
}

func (r *rig) register(low, high int, tags ...model.Tag) model.ScalableTarget {
	r.t.Helper()
	target, err := r.RegisterTarget(r.t.Context(), Registration{ResourceID: web, Min: &low, Max: &high, Tags: tags})
	if err != nil {
		r.t.Fatal(err)
	}
	return target
}

func tracking(name string) model.ScalingPolicy {
	return model.ScalingPolicy{Name: name, ResourceID: web, Tracking: &model.TargetTracking{
		Target: 50, Predefined: string(scaling.CPU), ScaleOut: 30 * time.Second, ScaleIn: 30 * time.Second,
	}}
}

func (r *rig) put(p model.ScalingPolicy) model.ScalingPolicy {
	r.t.Helper()
	p, err := r.PutPolicy(r.t.Context(), p)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// seconds lets n seconds pass at a rate of requests of 0.1 CPU-seconds; tasks
// that were ordered serve one second later.
func (r *rig) seconds(n, rate int) {
	for range n {
		r.clock = r.clock.Add(time.Second)
		svc, _ := r.sched.Service("c", "web")
		s := model.ServiceSecond{
			At: r.clock, Cluster: "c", Service: "web", Interval: time.Second, CPUPerTask: time.Second,
			Running: r.running, Starting: max(0, svc.DesiredCount-r.running), Sampled: r.running,
			Balanced: true, Arrivals: rate, Completed: rate,
			CPU: min(time.Duration(rate)*100*time.Millisecond, time.Duration(r.running)*time.Second),
		}
		r.second(r.t.Context(), &s)
		r.running = svc.DesiredCount
	}
}

func (r *rig) desired() int {
	svc, _ := r.sched.Service("c", "web")
	return svc.DesiredCount
}

// brief is an activity without its ID and times.
func brief(acts []model.ScalingActivity) []string {
	var out []string
	for _, a := range acts {
		line := fmt.Sprintf("%s | %s | %s | %s", a.Status, a.Description, a.Cause, a.StatusMessage)
		for _, n := range a.NotScaled {
			line += fmt.Sprintf(" | %s %d %d %d", n.Code, n.Max, n.Min, n.CurrentSize)
		}
		out = append(out, line)
	}
	return out
}

func TestLiveTimingScalesOutAndIn(t *testing.T) {
	r := fresh(t)
	r.register(2, 8)
	r.put(tracking("cpu"))
	r.seconds(90, 8)
	if r.desired() != 2 {
		t.Fatalf("steady load moved the count to %d", r.desired())
	}
	r.seconds(2, 40)
	if r.desired() != 8 {
		t.Fatalf("two seconds after the step: desired %d, want 8; %+v", r.desired(), r.Reasons(web, 3))
	}
	act := r.Activities(web)[0]
	if act.Description != "Setting desired count to 8." || !strings.HasPrefix(act.Cause, "policy cpu in live timing: offered ") {
		t.Errorf("activity = %+v", act)
	}
	r.seconds(30, 40)
	want := "Successfully set desired count to 8. Change successfully fulfilled by ecs."
	if act = r.Activities(web)[len(r.Activities(web))-1]; act.StatusMessage != want || act.Status != successful || act.EndedAt.IsZero() {
		t.Errorf("activity = %+v, want it fulfilled", act)
	}
	r.seconds(300, 1)
	if r.desired() != 2 {
		t.Errorf("five minutes after the load: desired %d, want 2; %+v", r.desired(), r.Reasons(web, 3))
	}
	for _, e := range r.Reasons(web, 100) {
		if e.Reason == "" || e.Policy != "cpu" {
			t.Errorf("decision without reason or policy: %+v", e)
		}
	}
}

func TestNotScaledIsRecordedOnce(t *testing.T) {
	r := fresh(t)
	r.register(1, 2)
	r.put(tracking("cpu"))
	r.seconds(120, 19)
	got := brief(r.Activities(web))
	want := []string{"Failed | Attempting to scale in live timing | policy cpu |  | AlreadyAtMaxCapacity 2 0 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("activities (-want +got):\n%s", diff)
	}
}

func TestBoundsMoveTheDesiredCount(t *testing.T) {
	cases := map[string]struct {
		low, high int
		suspend   bool
		want      int
		cause     string
	}{
		"below the minimum":                {4, 8, false, 4, "minimum capacity was set to 4"},
		"above the maximum":                {0, 1, false, 1, "maximum capacity was set to 1"},
		"inside":                           {1, 8, false, 2, ""},
		"below the minimum, but suspended": {4, 8, true, 2, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := fresh(t)
			_, err := r.RegisterTarget(t.Context(), Registration{ResourceID: web, Min: &c.low, Max: &c.high, SuspendOut: &c.suspend})
			if err != nil {
				t.Fatal(err)
			}
			r.intoBounds(t.Context())
			if r.desired() != c.want {
				t.Errorf("desired = %d, want %d", r.desired(), c.want)
			}
			acts := r.Activities(web)
			if c.cause == "" {
				if len(acts) != 0 {
					t.Errorf("activities = %q, want none", brief(acts))
				}
				return
			}
			if len(acts) != 1 || acts[0].Cause != c.cause {
				t.Errorf("activities = %q, want one with cause %q", brief(acts), c.cause)
			}
		})
	}
}

func TestActivityThatSomebodyElseOvertakes(t *testing.T) {
	r := fresh(t)
	r.register(3, 8)
	r.intoBounds(t.Context())
	if err := r.sched.SetDesiredCount(t.Context(), "c", "web", 0); err != nil {
		t.Fatal(err)
	}
	r.seconds(2, 0)
	want := "Successfully set desired count to 3. Found it was later changed to 0."
	if act := r.Activities(web)[0]; act.Status != overridden || act.StatusMessage != want {
		t.Errorf("activity = %q, want Overridden, %q", brief(r.Activities(web)), want)
	}
}

func TestRefusedOrderIsRecordedAndTriedAgainLater(t *testing.T) {
	r := fresh(t)
	r.register(2, 8)
	r.put(tracking("cpu"))
	r.seconds(90, 8)
	r.sched.refuse = model.Errorf(model.Conflict, "ServiceNotActiveException", "Service was not ACTIVE.")
	r.seconds(10, 40)
	got := r.Activities(web)
	if len(got) != 1 || got[0].Status != failed || !strings.HasSuffix(got[0].StatusMessage, "Reason: Service was not ACTIVE.") {
		t.Errorf("activities = %q, want one that failed", brief(got))
	}
	r.sched.refuse = nil
	r.seconds(20, 40)
	if r.desired() <= 2 {
		t.Errorf("desired = %d, want the order to be given again", r.desired())
	}
}

func TestRestartKeepsTargetsAndFinishesActivities(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r := fresh(t)
	if r.Autoscaler, err = New(db, r.sched, r.book, &rig{}, Config{Place: place}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	r.now = func() time.Time { return r.clock }
	target := r.register(4, 8)
	policy := r.put(tracking("cpu"))
	r.intoBounds(t.Context())
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	again := newRig(t, path)
	again.sched, again.Autoscaler.sched, again.clock = r.sched, r.sched, r.clock
	if diff := cmp.Diff([]model.ScalableTarget{target}, again.Targets()); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]model.ScalingPolicy{policy}, again.Policies()); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	again.seconds(3, 10)
	if act := again.Activities(web)[0]; act.Status != successful {
		t.Errorf("activity = %q, want Successful", brief(again.Activities(web)))
	}
}

func TestAWSTimingFollowsTheAlarms(t *testing.T) {
	r := fresh(t)
	r.register(2, 8, model.Tag{Key: TimingTag, Value: "aws-60"})
	p := r.put(tracking("cpu"))
	r.seconds(70, 16)
	if r.desired() != 2 {
		t.Fatalf("desired = %d before the alarm", r.desired())
	}
	r.book.ring("-AlarmHigh-", "ALARM")
	r.seconds(1, 16)
	act := r.Activities(web)[0]
	want := "monitor alarm " + p.AlarmNames[0] + " in state ALARM triggered policy cpu"
	if r.desired() != 4 || act.Cause != want { // ceil(2 × 80 ÷ 50)
		t.Errorf("desired = %d, cause %q, want 4, %q", r.desired(), act.Cause, want)
	}
}

func TestAlarmsAreToldApartWhateverTheServiceIsCalled(t *testing.T) {
	r := fresh(t)
	svc := r.sched.all["c/web"]
	svc.Name = "a-AlarmLow-b"
	r.sched.all["c/a-AlarmLow-b"] = svc
	low, high, id := 1, 8, "service/c/a-AlarmLow-b"
	if _, err := r.RegisterTarget(t.Context(), Registration{ResourceID: id, Min: &low, Max: &high, Tags: []model.Tag{{Key: TimingTag, Value: "aws-60"}}}); err != nil {
		t.Fatal(err)
	}
	p := tracking("cpu")
	p.ResourceID = id
	p = r.put(p)
	al := r.book.all[p.AlarmNames[1]]
	al.State = "ALARM"
	r.book.all[al.Name] = al
	r.clock = r.clock.Add(time.Second)
	r.second(t.Context(), &model.ServiceSecond{
		At: r.clock, Cluster: "c", Service: "a-AlarmLow-b", Interval: time.Second, CPUPerTask: time.Second,
		Running: 2, Sampled: 2, CPU: 800 * time.Millisecond,
	})
	want := "Successful | Attempting to scale due to alarm triggered | monitor alarm " + al.Name + " in state ALARM triggered policy cpu |  | AlreadyAtDesiredCapacity 0 0 2"
	if got := brief(r.Activities(id)); len(got) != 1 || got[0] != want { // ceil(2 × 40 ÷ 50)
		t.Errorf("activities = %q, want %q", got, want)
	}
}

func TestServiceThatVanishesIsLeftAlone(t *testing.T) {
	r := fresh(t)
	r.register(2, 8)
	r.put(tracking("cpu"))
	r.seconds(10, 8)
	delete(r.sched.all, "c/web")
	s := model.ServiceSecond{At: r.clock, Cluster: "c", Service: "web", Arrivals: 1000, Balanced: true}
	r.second(t.Context(), &s)
	if got := r.Activities(web); len(got) != 0 {
		t.Errorf("activities = %q, want none", brief(got))
	}
}

func TestRunDecidesWhatIsObserved(t *testing.T) {
	r := fresh(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	r.register(5, 8) // the count is moved by Run
	r.Observe([]model.ServiceSecond{{Cluster: "c", Service: "web", Running: 2, Interval: time.Second}})
	deadline := time.After(5 * time.Second)
	for r.desired() != 5 || len(r.Reasons(web, 1)) == 0 {
		select {
		case <-deadline:
			t.Fatalf("desired = %d, reasons %v", r.desired(), r.Reasons(web, 1))
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
}

// BenchmarkSecond is one second of 1,000 services of 20 tasks: at most 100 ms
// is a tenth of a core.
func BenchmarkSecond(b *testing.B) {
	r := newRig(b, filepath.Join(b.TempDir(), "state.db"))
	var seconds []model.ServiceSecond
	low, high := 2, 40
	for i := range 1000 {
		name := fmt.Sprintf("s%04d", i)
		svc := r.sched.all["c/web"]
		svc.Name, svc.DesiredCount = name, 20
		r.sched.all["c/"+name] = svc
		id := policy.Resource("c", name)
		err := r.targets.Put(b.Context(), id, model.ScalableTarget{ResourceID: id, Min: low, Max: high, CreatedAt: r.clock})
		if err != nil {
			b.Fatal(err)
		}
		p := tracking("cpu")
		p.ResourceID = id
		if err := r.policies.Put(b.Context(), policyKey(id, p.Name), p); err != nil {
			b.Fatal(err)
		}
		seconds = append(seconds, model.ServiceSecond{
			Cluster: "c", Service: name, Interval: time.Second, CPUPerTask: time.Second, Running: 20, Sampled: 20,
			CPU: 9500 * time.Millisecond, Balanced: true, Arrivals: 95, Completed: 95, InFlight: 10,
		})
	}
	step := func() {
		r.clock = r.clock.Add(time.Second)
		for i := range seconds {
			r.second(b.Context(), &seconds[i])
		}
	}
	for range 200 { // some history
		step()
	}
	for b.Loop() {
		step()
	}
}
