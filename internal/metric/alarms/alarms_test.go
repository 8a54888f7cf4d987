package alarms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"neargate/internal/metric"
	"neargate/internal/model"
	"neargate/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var t0 = time.Date(2026, 9, 17, 2, 50, 0, 0, time.UTC)

var (
	quiet = slog.New(slog.DiscardHandler)
	cpu   = model.MetricID{Namespace: "AWS/ECS", Name: "CPUUtilization", Dimensions: []model.Dimension{{Name: "ClusterName", Value: "c"}, {Name: "ServiceName", Value: "web"}}}
)

const policy = "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:u:resource/ecs/service/c/web:policyName/p:createdBy/x"

// bench is an Alarms over real stores, with a clock that is set.
type bench struct {
	*Alarms
	t    *testing.T
	data *metric.Store
	at   time.Time
}

// acceptsPolicies is an autoscaler with one policy, and nobody else.
func acceptsPolicies(action string) error {
	if action != policy {
		return errors.New("nobody takes it")
	}
	return nil
}

func newBench(t *testing.T, dir string) *bench {
	t.Helper()
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := metric.Open(filepath.Join(dir, "metrics.db"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, data: data, at: t0}
	b.Alarms, err = New(db, data, Config{Place: model.Place{Region: "us-east-1", Account: "000000000000"}, Accepts: acceptsPolicies}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	b.now = func() time.Time { return b.at }
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// minute publishes a value for each second of a minute and evaluates all
// alarms at its end; v < 0 publishes nothing. It returns the changes of state
// with the number of actions each had.
func (b *bench) minute(v float64) []string {
	b.t.Helper()
	for i := range 60 {
		at := b.at.Add(time.Duration(i) * time.Second)
		if v < 0 {
			break
		}
		if err := b.data.Put(at, []model.Datum{{ID: cpu, At: at, Unit: "Percent", Values: []float64{v}, Resolution: 1, Gauge: true}}); err != nil {
			b.t.Fatal(err)
		}
	}
	b.at = b.at.Add(time.Minute)
	before := len(b.History(HistoryFilter{}))
	b.evaluate(b.t.Context(), b.pick(b.at, true, true), b.at)
	var changes []string
	actions := map[string]int{}
	for _, item := range b.History(HistoryFilter{})[before:] {
		if item.Type == Action {
			actions[item.Alarm]++
		}
	}
	for _, item := range b.History(HistoryFilter{})[before:] {
		var from, to string
		if _, err := fmt.Sscanf(item.Summary, "Alarm updated from %s to %s", &from, &to); err == nil {
			changes = append(changes, fmt.Sprintf("%s %s->%s %d", item.Alarm, from, to, actions[item.Alarm]))
		}
	}
	return changes
}

func (b *bench) put(al model.Alarm) {
	b.t.Helper()
	if err := b.PutAlarm(b.t.Context(), al); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) state(name string) string {
	al, _ := b.Alarm(name)
	return al.State
}

func high() model.Alarm {
	return model.Alarm{
		Name: "high", ActionsEnabled: true, AlarmActions: []string{policy, "arn:aws:sns:us-east-1:000000000000:topic"},
		Metric: cpu, Statistic: "Average", Unit: "Percent", Period: time.Minute, EvaluationPeriods: 3, Threshold: 50, Comparison: "GreaterThanThreshold",
	}
}

func low() model.Alarm {
	al := high()
	al.Name, al.AlarmActions, al.EvaluationPeriods, al.Threshold, al.Comparison = "low", []string{policy}, 15, 45, "LessThanThreshold"
	return al
}

// The two alarms of a target-tracking policy over a service's life.
func TestManagedAlarmsFollowTheMetric(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.put(high())
	b.put(low())
	if al, _ := b.Alarm("high"); al.State != "INSUFFICIENT_DATA" || al.StateReason != "Unchecked: Initial alarm creation" || al.ARN != "arn:aws:cloudwatch:us-east-1:000000000000:alarm:high" {
		t.Errorf("new alarm: %+v", al)
	}
	for i, step := range []struct {
		v         float64
		high, low string
		calls     []string
	}{
		{-1, "INSUFFICIENT_DATA", "INSUFFICIENT_DATA", nil},
		{90, "INSUFFICIENT_DATA", "OK", []string{"low INSUFFICIENT_DATA->OK 0"}},
		{90, "INSUFFICIENT_DATA", "OK", nil},
		{90, "ALARM", "OK", []string{"high INSUFFICIENT_DATA->ALARM 2"}},
		{80, "ALARM", "OK", nil},
		{48, "OK", "OK", []string{"high ALARM->OK 0"}},
		{90, "OK", "OK", nil},
		{90, "OK", "OK", nil},
		{90, "ALARM", "OK", []string{"high OK->ALARM 2"}},
	} {
		if diff := cmp.Diff(step.calls, b.minute(step.v)); diff != "" {
			t.Errorf("minute %d: calls (-want +got):\n%s", i, diff)
		}
		if b.state("high") != step.high || b.state("low") != step.low {
			t.Errorf("minute %d: high %s, low %s, want %s and %s", i, b.state("high"), b.state("low"), step.high, step.low)
		}
	}
	for range 14 {
		b.minute(10)
	}
	if b.state("low") != "OK" {
		t.Errorf("after 14 low minutes: %s, want OK", b.state("low"))
	}
	b.minute(10)
	al, _ := b.Alarm("low")
	const want = "Threshold Crossed: 15 datapoints were less than the threshold (45.0). The most recent datapoints which crossed the threshold: " +
		"[10.0 (17/09/26 03:13:00), 10.0 (17/09/26 03:12:00), 10.0 (17/09/26 03:11:00), 10.0 (17/09/26 03:10:00), 10.0 (17/09/26 03:09:00)]."
	if al.State != "ALARM" || al.StateReason != want {
		t.Errorf("after 15 low minutes: %s because %q", al.State, al.StateReason)
	}
	for range 20 {
		b.minute(-1)
	}
	if al, _ := b.Alarm("high"); al.State != "INSUFFICIENT_DATA" || al.StateReason != "Insufficient Data: 3 datapoints were unknown." {
		t.Errorf("without tasks: %s because %q", al.State, al.StateReason)
	}
}

// TestHistoryTellsWhatWasExecuted: an action that nobody carries out has not
// succeeded.
func TestHistoryTellsWhatWasExecuted(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.put(high())
	if err := b.SetAlarmState(t.Context(), "high", "ALARM", "by hand", ""); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range b.History(HistoryFilter{Alarm: "high", Type: Action}) {
		var data struct{ ActionState, Error string }
		if err := json.Unmarshal([]byte(item.Data), &data); err != nil {
			t.Fatal(err)
		}
		got = append(got, item.Summary+" | "+data.ActionState+" | "+data.Error)
	}
	want := []string{
		"Successfully executed action " + policy + " | Succeeded | ",
		`Failed to execute action arn:aws:sns:us-east-1:000000000000:topic. Received error: "nobody takes it" | Failed | nobody takes it`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

func TestDisabledActionsDoNotRun(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.put(high())
	if err := b.EnableActions(t.Context(), []string{"high", "unknown"}, false); err != nil {
		t.Fatal(err)
	}
	b.minute(90)
	b.minute(90)
	if diff := cmp.Diff([]string{"high INSUFFICIENT_DATA->ALARM 0"}, b.minute(90)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if got := b.minute(90); got != nil {
		t.Errorf("a minute later: %v, want no calls", got)
	}
}

func TestPeriodsUnderAMinute(t *testing.T) {
	b := newBench(t, t.TempDir())
	al := high()
	al.Period = 20 * time.Second
	b.put(al)
	for i := range 60 {
		at := t0.Add(time.Duration(i) * time.Second)
		if err := b.data.Put(at, []model.Datum{{ID: cpu, At: at, Unit: "Percent", Values: []float64{90}, Resolution: 1, Gauge: true}}); err != nil {
			t.Fatal(err)
		}
	}
	b.at = t0.Add(time.Minute)
	b.evaluate(t.Context(), b.pick(b.at, false, true), b.at)
	if got, _ := b.Alarm("high"); got.State != "ALARM" {
		t.Errorf("after 3 periods of 20 s: %s because %q, want ALARM", got.State, got.StateReason)
	}
}

func TestSetAlarmStateLastsUntilTheNextEvaluation(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.put(high())
	b.minute(10)
	if err := b.SetAlarmState(t.Context(), "high", "ALARM", "testing", `{"a":1}`); err != nil {
		t.Fatal(err)
	}
	if got := len(b.History(HistoryFilter{Alarm: "high", Type: Action})); got != 2 {
		t.Errorf("%d actions in the history, want 2", got)
	}
	if al, _ := b.Alarm("high"); al.State != "ALARM" || al.StateReason != "testing" || al.StateReasonData != `{"a":1}` {
		t.Errorf("after SetAlarmState: %+v", al)
	}
	b.at = b.at.Add(stateLasts)
	b.evaluate(t.Context(), b.pick(b.at, false, false), b.at)
	if got := b.state("high"); got != "OK" {
		t.Errorf("after the next evaluation: %s, want OK", got)
	}
	if err := b.SetAlarmState(t.Context(), "nope", "OK", "x", ""); model.KindOf(err) != model.NotFound {
		t.Errorf("unknown alarm: %v, want not found", err)
	}
}

func TestPutAlarmKeepsStateAndTags(t *testing.T) {
	b := newBench(t, t.TempDir())
	al := high()
	al.Tags = []model.Tag{{Key: "k", Value: "v"}}
	b.put(al)
	b.minute(10)
	al.Tags, al.Threshold = nil, 70
	b.put(al)
	got, _ := b.Alarm("high")
	if got.State != "OK" || got.Threshold != 70 || len(got.Tags) != 1 {
		t.Errorf("after the update: %+v", got)
	}
	var types []string
	for _, i := range b.History(HistoryFilter{Alarm: "high"}) {
		types = append(types, i.Type+": "+i.Summary)
	}
	want := []string{
		`ConfigurationUpdate: Alarm "high" created`,
		"StateUpdate: Alarm updated from INSUFFICIENT_DATA to OK",
		`ConfigurationUpdate: Alarm "high" updated`,
	}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestAlarmsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(db, nil, Config{}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.PutAlarm(t.Context(), high()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, dir)
	if got := b.state("high"); got != "INSUFFICIENT_DATA" {
		t.Errorf("state after the restart: %q", got)
	}
	if got := b.AlarmsFor(policy); len(got) != 1 {
		t.Errorf("alarms of the policy after the restart: %v", got)
	}
	if got := b.History(HistoryFilter{}); len(got) != 1 {
		t.Errorf("history after the restart: %v", got)
	}
}

func TestDeleteAlarmsDeletesWhatIsThere(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.put(high())
	err := b.DeleteAlarms(t.Context(), []string{"nope", "high"})
	if model.KindOf(err) != model.NotFound {
		t.Errorf("error %v, want not found", err)
	}
	if got := b.Alarms.Alarms(Filter{}); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	if got := b.minute(90); got != nil {
		t.Errorf("a deleted alarm called %v", got)
	}
}

func TestAlarmsFilter(t *testing.T) {
	b := newBench(t, t.TempDir())
	for i, name := range []string{"a-1", "a-2", "b-1"} {
		al := high()
		al.Name = name
		if i == 0 {
			al.AlarmActions, al.OKActions = nil, []string{"arn:aws:sns:x"}
		}
		b.put(al)
	}
	if err := b.SetAlarmState(t.Context(), "b-1", "OK", "x", ""); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		f    Filter
		want []string
	}{
		"all":          {Filter{}, []string{"a-1", "a-2", "b-1"}},
		"names":        {Filter{Names: []string{"b-1", "a-1", "x"}}, []string{"a-1", "b-1"}},
		"prefix":       {Filter{NamePrefix: "a-"}, []string{"a-1", "a-2"}},
		"state":        {Filter{State: "OK"}, []string{"b-1"}},
		"action":       {Filter{ActionPrefix: "arn:aws:autoscaling"}, []string{"a-2", "b-1"}},
		"prefix, none": {Filter{NamePrefix: "c"}, nil},
	} {
		var got []string
		for _, al := range b.Alarms.Alarms(tc.f) {
			got = append(got, al.Name)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.put(high())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range historyItems / 2 {
				at := t0.Add(time.Duration(i*1000+n) * time.Second)
				if err := b.record(t.Context(), HistoryItem{Alarm: "high", Type: Action, At: at}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(b.History(HistoryFilter{Alarm: "high"})); got != historyItems {
		t.Errorf("%d items, want %d", got, historyItems)
	}
	if err := b.pruneHistory(t.Context(), t0.Add(historyAge+2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := b.History(HistoryFilter{}); len(got) != 0 {
		t.Errorf("after two weeks: %d items", len(got))
	}
}

func TestRunEvaluatesANewAlarmAtOnce(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.now = time.Now
	al := high()
	al.MissingData = "notBreaching"
	b.put(al)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	deadline := time.Now().Add(20 * time.Second)
	for b.state("high") != "OK" && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if got := b.state("high"); got != "OK" {
		t.Errorf("state %s, want OK", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// Load on each of the tasks, of two metrics; where one is missing, so is the
// quotient.
func TestAlarmOnMetricMath(t *testing.T) {
	b := newBench(t, t.TempDir())
	no := false
	tasks := model.MetricID{Namespace: "Shop", Name: "Tasks"}
	al := high()
	al.Metric, al.Statistic, al.Unit, al.EvaluationPeriods = model.MetricID{}, "", "", 2
	al.Queries = []model.MetricQuery{
		{ID: "e1", Expression: "load / tasks"},
		{ID: "load", Metric: cpu, Statistic: "Sum", Period: time.Minute, ReturnData: &no},
		{ID: "tasks", Metric: tasks, Statistic: "Average", Period: time.Minute, ReturnData: &no},
	}
	b.put(al)
	minute := func(load, n float64) {
		if n > 0 {
			if err := b.data.Put(b.at, []model.Datum{{ID: tasks, At: b.at, Values: []float64{n}}}); err != nil {
				t.Fatal(err)
			}
		}
		b.minute(load)
	}
	minute(150, 2)
	minute(200, 2)
	got, _ := b.Alarm("high")
	const want = "Threshold Crossed: 2 datapoints [100.0 (17/09/26 02:51:00), 75.0 (17/09/26 02:50:00)] were greater than the threshold (50.0)."
	if got.State != "ALARM" || got.StateReason != want {
		t.Errorf("%s because %q, want ALARM because %q", got.State, got.StateReason, want)
	}
	if strings.Contains(got.StateReasonData, "statistic") || !strings.Contains(got.StateReasonData, `"recentDatapoints":[75.0,100.0]`) {
		t.Errorf("reason data: %s", got.StateReasonData)
	}
	minute(150, 5)
	if got := b.Recent("high"); !slices.Equal(got, []float64{100, 30}) || b.state("high") != "OK" {
		t.Errorf("with more tasks: %s, %v", b.state("high"), got)
	}
	for range 5 {
		minute(150, 0)
	}
	if got := b.state("high"); got != "INSUFFICIENT_DATA" {
		t.Errorf("without the number of tasks: %s", got)
	}
	items := b.History(HistoryFilter{Alarm: "high", Type: ConfigurationUpdate})
	if len(items) != 1 || !strings.Contains(items[0].Data, `"expression":"load / tasks"`) || strings.Contains(items[0].Data, "metricName\":\"\"") {
		t.Errorf("history: %+v", items)
	}
}

// What a step policy asks of its alarms.
func TestAlarmsOfAnAction(t *testing.T) {
	b := newBench(t, t.TempDir())
	names := func() (out []string) {
		for _, al := range b.AlarmsFor(policy) {
			out = append(out, al.Name)
		}
		return out
	}
	b.put(low())
	b.put(high())
	if got := names(); !slices.Equal(got, []string{"high", "low"}) {
		t.Errorf("alarms of the policy: %v", got)
	}
	for range 3 {
		b.minute(90)
	}
	if got := b.Recent("high"); !slices.Equal(got, []float64{90, 90, 90}) {
		t.Errorf("recent datapoints: %v", got)
	}
	b.minute(80)
	if got := b.Recent("high"); !slices.Equal(got, []float64{90, 90, 80}) {
		t.Errorf("recent datapoints while the state lasts: %v", got)
	}
	if err := b.SetAlarmState(t.Context(), "low", "ALARM", "x", `{"version":"1.0","recentDatapoints":[3.5,4]}`); err != nil {
		t.Fatal(err)
	}
	if got := b.Recent("low"); !slices.Equal(got, []float64{3.5, 4}) {
		t.Errorf("recent datapoints set by hand: %v", got)
	}
	if err := b.SetAlarmState(t.Context(), "low", "ALARM", "x", "because"); err != nil {
		t.Fatal(err)
	}
	if got := b.Recent("low"); got != nil {
		t.Errorf("recent datapoints of words: %v", got)
	}
	al := high()
	al.AlarmActions, al.OKActions = nil, []string{policy}
	b.put(al)
	if err := b.DeleteAlarms(t.Context(), []string{"low"}); err != nil {
		t.Fatal(err)
	}
	if got := names(); !slices.Equal(got, []string{"high"}) {
		t.Errorf("alarms of the policy after a change and a deletion: %v", got)
	}
}
