package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"neargate/internal/aws/wire"
	"neargate/internal/metric"
	"neargate/internal/metric/alarms"
	"neargate/internal/model"
	"neargate/internal/store"
)

var t0 = time.Date(2026, 9, 17, 2, 50, 0, 0, time.UTC)

// bench is the face behind a real client, over real stores; the time is t0.
type bench struct {
	*cloudwatch.Client
	url    string
	data   *metric.Store
	alarms *alarms.Alarms
}

type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) { return wire.Caller{}, nil }, nil
}

func newBench(t *testing.T) bench {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := metric.Open(filepath.Join(t.TempDir(), "metrics.db"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	al, err := alarms.New(db, data, alarms.Config{
		Place: model.Place{Region: "us-east-1", Account: "000000000000"}, Accepts: func(string) error { return nil },
	}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	face := &service{data: data, alarms: al, now: func() time.Time { return t0 }}
	srv := httptest.NewServer(wire.NewHandler([]wire.Service{face.face()}, anyone{}, wire.Config{Log: quiet}))
	t.Cleanup(func() {
		srv.Close()
		if err := errors.Join(data.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	client := cloudwatch.New(cloudwatch.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(srv.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	return bench{client, srv.URL, data, al}
}

func dims(pairs ...string) []types.Dimension {
	var out []types.Dimension
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, types.Dimension{Name: aws.String(pairs[i]), Value: aws.String(pairs[i+1])})
	}
	return out
}

// put publishes values, one a minute up to t0.
func (b bench) put(t *testing.T, name string, values ...float64) {
	t.Helper()
	in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop")}
	for i, v := range values {
		in.MetricData = append(in.MetricData, types.MetricDatum{
			MetricName: aws.String(name), Value: aws.Float64(v), Unit: types.StandardUnitCount,
			Dimensions: dims("Zone", "1", "Host", "a"), Timestamp: aws.Time(t0.Add(time.Duration(i-len(values)) * time.Minute)),
		})
	}
	if _, err := b.PutMetricData(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func stat(name, statistic string) *types.MetricStat {
	return &types.MetricStat{
		Metric: &types.Metric{Namespace: aws.String("Shop"), MetricName: aws.String(name), Dimensions: dims("Host", "a", "Zone", "1")},
		Period: aws.Int32(60), Stat: aws.String(statistic),
	}
}

func TestGetMetricStatisticsReadsWhatWasPut(t *testing.T) {
	b := newBench(t)
	b.put(t, "Orders", 1, 2, 3)
	_, err := b.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{{
		MetricName: aws.String("Orders"), Values: []float64{10, 20}, Counts: []float64{3, 1}, Unit: types.StandardUnitCount,
		Dimensions: dims("Host", "a", "Zone", "1"), Timestamp: aws.Time(t0.Add(-time.Minute)), StorageResolution: aws.Int32(1),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	in := &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("Shop"), MetricName: aws.String("Orders"), Dimensions: dims("Host", "a", "Zone", "1"),
		StartTime: aws.Time(t0.Add(-2*time.Minute + 20*time.Second)), EndTime: aws.Time(t0), Period: aws.Int32(60),
		Statistics: []types.Statistic{"Sum", "SampleCount", "Average", "Minimum", "Maximum"},
	}
	out, err := b.GetMetricStatistics(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := []types.Datapoint{
		{Timestamp: aws.Time(t0.Add(-2 * time.Minute)), Unit: "Count", Sum: aws.Float64(2), SampleCount: aws.Float64(1), Average: aws.Float64(2), Minimum: aws.Float64(2), Maximum: aws.Float64(2)},
		{Timestamp: aws.Time(t0.Add(-time.Minute)), Unit: "Count", Sum: aws.Float64(53), SampleCount: aws.Float64(5), Average: aws.Float64(10.6), Minimum: aws.Float64(3), Maximum: aws.Float64(20)},
	}
	if diff := cmp.Diff(want, out.Datapoints, cmpopts.IgnoreUnexported(types.Datapoint{})); diff != "" {
		t.Errorf("datapoints (-want +got):\n%s", diff)
	}
	in.Statistics, in.ExtendedStatistics = nil, []string{"p50", "p100"}
	out, err = b.GetMetricStatistics(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]float64{"p50": 10, "p100": 20}, out.Datapoints[1].ExtendedStatistics, cmpopts.EquateApprox(0.02, 0)); diff != "" {
		t.Errorf("percentiles (-want +got):\n%s", diff)
	}
}

func TestGetMetricData(t *testing.T) {
	b := newBench(t)
	b.put(t, "Orders", 1, 2, 3)
	b.put(t, "Errors", 0, 1, 3)
	in := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(t0.Add(-time.Hour)), EndTime: aws.Time(t0),
		MetricDataQueries: []types.MetricDataQuery{
			{Id: aws.String("m1"), MetricStat: stat("Orders", "Sum")},
			{Id: aws.String("m2"), MetricStat: stat("Errors", "Sum"), ReturnData: aws.Bool(false)},
			{Id: aws.String("e1"), Expression: aws.String("100 * m2 / m1"), Label: aws.String("error rate")},
			{Id: aws.String("e2"), Expression: aws.String("FILL(e1, 0) - e1")},
			{Id: aws.String("e3"), Expression: aws.String("METRICS() * 2")},
			{Id: aws.String("e4"), Expression: aws.String("m1")},
			{Id: aws.String("none"), MetricStat: stat("Unknown", "Sum")},
		},
	}
	type line struct {
		ID, Label, Status string
		Values            []float64
	}
	get := func() (lines []line, next *string) {
		t.Helper()
		out, err := b.GetMetricData(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.MetricDataResults {
			lines = append(lines, line{*r.Id, *r.Label, string(r.StatusCode), r.Values})
			if len(r.Timestamps) != len(r.Values) {
				t.Errorf("%s: %d timestamps for %d values", *r.Id, len(r.Timestamps), len(r.Values))
			}
		}
		return lines, out.NextToken
	}
	got, next := get()
	want := []line{
		{"m1", "Orders", "Complete", []float64{3, 2, 1}},
		{"e1", "error rate", "Complete", []float64{100, 50, 0}},
		{"e2", "e2", "Complete", []float64{0, 0, 0}},
		{"e3", "Orders", "Complete", []float64{6, 4, 2}},
		{"e3", "Errors", "Complete", []float64{6, 2, 0}},
		{"e3", "Unknown", "Complete", nil},
		{"e4", "e4", "Complete", []float64{3, 2, 1}},
		{"none", "Unknown", "Complete", nil},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || next != nil {
		t.Errorf("results (-want +got), next %v:\n%s", next, diff)
	}

	in.MetricDataQueries, in.ScanBy, in.MaxDatapoints = in.MetricDataQueries[:3], types.ScanByTimestampAscending, aws.Int32(2)
	var pages [][]line
	for {
		got, in.NextToken = get()
		pages = append(pages, got)
		if in.NextToken == nil {
			break
		}
	}
	wantPages := [][]line{
		{{"m1", "Orders", "PartialData", []float64{1, 2}}, {"e1", "error rate", "PartialData", nil}},
		{{"m1", "Orders", "Complete", []float64{3}}, {"e1", "error rate", "PartialData", []float64{0}}},
		{{"m1", "Orders", "Complete", nil}, {"e1", "error rate", "Complete", []float64{50, 100}}},
	}
	if diff := cmp.Diff(wantPages, pages, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestListMetricsPages(t *testing.T) {
	b := newBench(t)
	var data []model.Datum
	for i := range 501 {
		data = append(data, model.Datum{ID: model.MetricID{Namespace: "N", Name: fmt.Sprint("m", i)}, At: t0, Values: []float64{1}})
	}
	if err := b.data.Put(t0, data); err != nil {
		t.Fatal(err)
	}
	seen := 0
	pages := cloudwatch.NewListMetricsPaginator(b.Client, &cloudwatch.ListMetricsInput{Namespace: aws.String("N"), RecentlyActive: types.RecentlyActivePt3h})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen += len(out.Metrics)
	}
	if seen != 501 {
		t.Errorf("%d metrics listed, want 501", seen)
	}
}

func highAlarm() *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("high"), AlarmDescription: aws.String("too much"),
		Namespace: aws.String("Shop"), MetricName: aws.String("Orders"), Dimensions: dims("Zone", "1", "Host", "a"),
		Statistic: types.StatisticAverage, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3), Threshold: aws.Float64(50),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("missing"),
		AlarmActions: []string{"arn:aws:sns:us-east-1:000000000000:topic"},
		Tags:         []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}},
	}
}

// What Terraform does with an alarm: put, read back, tags, change, delete.
func TestAlarmLife(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	if _, err := b.PutMetricAlarm(ctx, highAlarm()); err != nil {
		t.Fatal(err)
	}
	read := func() types.MetricAlarm {
		t.Helper()
		out, err := b.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"high", "nope"}, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.MetricAlarms) != 1 {
			t.Fatalf("%d alarms, want 1", len(out.MetricAlarms))
		}
		return out.MetricAlarms[0]
	}
	const arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:high"
	want := types.MetricAlarm{
		AlarmArn: aws.String(arn), AlarmName: aws.String("high"), AlarmDescription: aws.String("too much"), ActionsEnabled: aws.Bool(true),
		OKActions: []string{}, AlarmActions: []string{"arn:aws:sns:us-east-1:000000000000:topic"}, InsufficientDataActions: []string{},
		Namespace: aws.String("Shop"), MetricName: aws.String("Orders"), Dimensions: dims("Host", "a", "Zone", "1"),
		Statistic: types.StatisticAverage, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3), Threshold: aws.Float64(50),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("missing"),
		StateValue: types.StateValueInsufficientData, StateReason: aws.String("Unchecked: Initial alarm creation"),
	}
	ignore := []cmp.Option{
		cmpopts.IgnoreUnexported(types.MetricAlarm{}, types.Dimension{}, types.MetricDataQuery{}, types.MetricStat{}, types.Metric{}), cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(types.MetricAlarm{}, "StateUpdatedTimestamp", "StateTransitionedTimestamp", "AlarmConfigurationUpdatedTimestamp"),
	}
	if diff := cmp.Diff(want, read(), ignore...); diff != "" {
		t.Errorf("alarm (-want +got):\n%s", diff)
	}

	if _, err := b.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: aws.String(arn), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("ops")}, {Key: aws.String("x"), Value: aws.String("y")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.UntagResource(ctx, &cloudwatch.UntagResourceInput{ResourceARN: aws.String(arn), TagKeys: []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := b.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String(arn)})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "ops" {
		t.Errorf("tags %+v, %v, want team=ops", tags, err)
	}

	in := highAlarm()
	in.Tags, in.Namespace, in.MetricName, in.Dimensions, in.Statistic, in.Period = nil, nil, nil, nil, "", nil
	want.Namespace, want.MetricName, want.Dimensions, want.Statistic, want.Period = nil, nil, nil, "", nil
	in.Metrics = []types.MetricDataQuery{
		{Id: aws.String("m1"), MetricStat: stat("Orders", "Sum"), ReturnData: aws.Bool(false)},
		{Id: aws.String("e1"), Expression: aws.String("m1 / 60"), Label: aws.String("rate"), ReturnData: aws.Bool(true)},
	}
	if _, err := b.PutMetricAlarm(ctx, in); err != nil {
		t.Fatal(err)
	}
	want.Metrics = in.Metrics
	if diff := cmp.Diff(want, read(), ignore...); diff != "" {
		t.Errorf("alarm on metric math (-want +got):\n%s", diff)
	}

	in.Metrics = []types.MetricDataQuery{{Id: aws.String("m1"), MetricStat: stat("Orders", "p99"), ReturnData: aws.Bool(true)}}
	if _, err := b.PutMetricAlarm(ctx, in); err != nil {
		t.Fatal(err)
	}
	want.Metrics = in.Metrics
	if diff := cmp.Diff(want, read(), ignore...); diff != "" {
		t.Errorf("alarm on Metrics[] (-want +got):\n%s", diff)
	}

	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"disable", func() error {
			_, err := b.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"high"}})
			return err
		}},
		{"set state", func() error {
			_, err := b.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("high"), StateValue: "ALARM", StateReason: aws.String("by hand"), StateReasonData: aws.String("{}")})
			return err
		}},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
	}
	if got := read(); *got.ActionsEnabled || got.StateValue != "ALARM" || *got.StateReason != "by hand" {
		t.Errorf("after both: %+v", got)
	}
	history, err := b.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{AlarmName: aws.String("high"), MaxRecords: aws.Int32(2)})
	if err != nil || len(history.AlarmHistoryItems) != 2 || *history.AlarmHistoryItems[0].HistorySummary != "Alarm updated from INSUFFICIENT_DATA to ALARM" || history.NextToken == nil {
		t.Errorf("history %+v, %v, want the change of state first and a second page", history, err)
	}
	found, err := b.DescribeAlarmsForMetric(ctx, &cloudwatch.DescribeAlarmsForMetricInput{Namespace: aws.String("Shop"), MetricName: aws.String("Orders"), Dimensions: dims("Zone", "1", "Host", "a")})
	if err != nil || len(found.MetricAlarms) != 1 {
		t.Errorf("for metric: %+v, %v, want one", found, err)
	}
	if _, err := b.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"high"}}); err != nil {
		t.Error(err)
	}
	var gone *types.ResourceNotFound
	if _, err := b.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"high"}}); !errors.As(err, &gone) {
		t.Errorf("second delete: %v, want ResourceNotFound", err)
	}
}

func TestBadInput(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	datum := func(change func(*types.MetricDatum)) func() error {
		return func() error {
			d := types.MetricDatum{MetricName: aws.String("m"), Value: aws.Float64(1)}
			change(&d)
			_, err := b.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("N"), MetricData: []types.MetricDatum{d}})
			return err
		}
	}
	alarm := func(change func(*cloudwatch.PutMetricAlarmInput)) func() error {
		return func() error {
			in := highAlarm()
			change(in)
			_, err := b.PutMetricAlarm(ctx, in)
			return err
		}
	}
	hidden := types.MetricDataQuery{Id: aws.String("m1"), MetricStat: stat("Orders", "Sum"), ReturnData: aws.Bool(false)}
	mathAlarm := func(queries ...types.MetricDataQuery) func() error {
		return alarm(func(in *cloudwatch.PutMetricAlarmInput) {
			in.Namespace, in.MetricName, in.Dimensions, in.Statistic, in.Period = nil, nil, nil, "", nil
			in.Metrics = queries
		})
	}
	statistics := func(change func(*cloudwatch.GetMetricStatisticsInput)) func() error {
		return func() error {
			in := &cloudwatch.GetMetricStatisticsInput{
				Namespace: aws.String("N"), MetricName: aws.String("m"), StartTime: aws.Time(t0.Add(-time.Hour)), EndTime: aws.Time(t0),
				Period: aws.Int32(60), Statistics: []types.Statistic{"Sum"},
			}
			change(in)
			_, err := b.GetMetricStatistics(ctx, in)
			return err
		}
	}
	queries := func(q ...types.MetricDataQuery) func() error {
		return func() error {
			_, err := b.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{StartTime: aws.Time(t0.Add(-time.Hour)), EndTime: aws.Time(t0), MetricDataQueries: q})
			return err
		}
	}
	math := func(text string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: aws.String("e1"), Expression: &text}
	}
	const value, combined, absent, validation = "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter", "ValidationError"
	for _, tc := range []struct {
		name, code, part string
		do               func() error
	}{
		{"AWS's own namespace", value, "The value AWS/ECS for parameter Namespace is invalid.", func() error {
			_, err := b.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/ECS"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1)}}})
			return err
		}},
		{"no data", absent, "The parameter MetricData is required.", func() error {
			_, err := b.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("N"), MetricData: []types.MetricDatum{}})
			return err
		}},
		{"1,001 data", value, "must not have a size greater than 1000", func() error {
			d := types.MetricDatum{MetricName: aws.String("m"), Value: aws.Float64(1)}
			in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("N")}
			for range 1001 {
				in.MetricData = append(in.MetricData, d)
			}
			_, err := b.PutMetricData(ctx, in)
			return err
		}},
		{"a value and values", combined, "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both.", datum(func(d *types.MetricDatum) { d.Values = []float64{1} })},
		{"no value", absent, "MetricData.member.1.Value", datum(func(d *types.MetricDatum) { d.Value = nil })},
		{"counts of another size", value, "must be of the same size", datum(func(d *types.MetricDatum) { d.Value, d.Values, d.Counts = nil, []float64{1}, []float64{1, 2} })},
		{"151 values", value, "must not have a size greater than 150", datum(func(d *types.MetricDatum) { d.Value, d.Values = nil, make([]float64, 151) })},
		{"a value beyond 2^360", value, "for parameter MetricData.member.1.Value is invalid", datum(func(d *types.MetricDatum) { d.Value = aws.Float64(1e200) })},
		{"too old", value, "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.", datum(func(d *types.MetricDatum) { d.Timestamp = aws.Time(t0.Add(-15 * 24 * time.Hour)) })},
		{"in the future", value, "Timestamp", datum(func(d *types.MetricDatum) { d.Timestamp = aws.Time(t0.Add(3 * time.Hour)) })},
		{"31 dimensions", value, "The collection MetricData.member.1.Dimensions must not have a size greater than 30.", datum(func(d *types.MetricDatum) {
			for i := range 31 {
				d.Dimensions = append(d.Dimensions, dims(fmt.Sprint(i), "v")...)
			}
		})},
		{"a dimension twice", value, "twice", datum(func(d *types.MetricDatum) { d.Dimensions = dims("a", "1", "a", "2") })},
		{"a unit unknown", value, "The parameter MetricData.member.1.Unit must be a value in the set [", datum(func(d *types.MetricDatum) { d.Unit = "Apples" })},
		{"a resolution of 5", value, "StorageResolution", datum(func(d *types.MetricDatum) { d.StorageResolution = aws.Int32(5) })},
		{"maximum below minimum", value, "must be greater than", datum(func(d *types.MetricDatum) {
			d.Value, d.StatisticValues = nil, &types.StatisticSet{SampleCount: aws.Float64(1), Sum: aws.Float64(1), Minimum: aws.Float64(2), Maximum: aws.Float64(1)}
		})},

		{"too many datapoints", combined, "You have requested up to 2,880 datapoints, which exceeds the limit of 1,440.", statistics(func(in *cloudwatch.GetMetricStatisticsInput) { in.StartTime = aws.Time(t0.Add(-48 * time.Hour)) })},
		{"start after end", value, "The parameter StartTime must be less than the parameter EndTime.", statistics(func(in *cloudwatch.GetMetricStatisticsInput) { in.StartTime = aws.Time(t0.Add(time.Hour)) })},
		{"a period of 45", value, "Period", statistics(func(in *cloudwatch.GetMetricStatisticsInput) { in.Period = aws.Int32(45) })},
		{"no statistic", combined, "Statistics", statistics(func(in *cloudwatch.GetMetricStatisticsInput) { in.Statistics = nil })},
		{"a trimmed mean", value, "tm90", statistics(func(in *cloudwatch.GetMetricStatisticsInput) {
			in.Statistics, in.ExtendedStatistics = nil, []string{"tm90"}
		})},

		{"an unknown function", validation, "Error in expression 'e1': function SEARCH is not known or not supported", queries(math("SEARCH('x', 'Sum', 60)"))},
		{"an expression that is a number", validation, "is a number, not a time series", queries(math("1 + 1"))},
		{"an unknown id", validation, "the id 'm7' is not in MetricDataQueries", queries(math("m7 * 2"))},
		{"an expression of itself", validation, "in a circle", queries(math("e1 + 1"))},
		{"the same id twice", validation, "not unique", queries(types.MetricDataQuery{Id: aws.String("m"), MetricStat: stat("a", "Sum")}, types.MetricDataQuery{Id: aws.String("m"), MetricStat: stat("a", "Sum")})},
		{"an id with a capital", validation, "expected pattern", queries(types.MetricDataQuery{Id: aws.String("M"), MetricStat: stat("a", "Sum")})},
		{"a statistic unknown", validation, "The value Median for parameter MetricDataQueries.member.1.MetricStat.Stat is not supported", queries(types.MetricDataQuery{Id: aws.String("m"), MetricStat: stat("a", "Median")})},
		{"nothing returned", validation, "ReturnData", queries(types.MetricDataQuery{Id: aws.String("m"), MetricStat: stat("a", "Sum"), ReturnData: aws.Bool(false)})},
		{"a bad token", "InvalidNextToken", "", func() error {
			_, err := b.ListMetrics(ctx, &cloudwatch.ListMetricsInput{NextToken: aws.String("!")})
			return err
		}},

		{"an alarm without a name", validation, "1 validation error detected: Value '' at 'alarmName' failed to satisfy constraint: Member must have length greater than or equal to 1", alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmName = aws.String("") })},
		{"an alarm with an odd treatment", validation, "'treatMissingData'", alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("x") })},
		{"an alarm over more than a day", validation, "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).", alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1441) })},
		{"an alarm over more than a week", validation, "across more than a week", alarm(func(in *cloudwatch.PutMetricAlarmInput) {
			in.Period, in.EvaluationPeriods = aws.Int32(86400), aws.Int32(8)
		})},
		{"an alarm every 5 seconds", value, "Period", alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(5) })},
		{"an alarm with M above N", validation, "DatapointsToAlarm", alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(4) })},
		{"an alarm without a statistic", combined, "Statistic", alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic = "" })},
		{"an alarm without a threshold", absent, "Threshold", alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = nil })},
		{"an alarm with six actions", validation, "'alarmActions'", alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = make([]string, 6) })},
		{"an alarm on metric math and a metric", combined, "The parameters MetricName and Metrics are mutually exclusive", alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics = []types.MetricDataQuery{math("1")} })},
		{"an alarm on math without a metric", validation, "Period must be specified", mathAlarm(math("1"))},
		{"an alarm on math of what is not there", validation, "Error in expression: the id 'm2' is not", mathAlarm(hidden, math("m1 + m2"))},
		{"an alarm on math that is a number", validation, "is a number, not a time series", mathAlarm(hidden, math("AVG(m1)"))},
		{"an alarm on math that is an array", validation, "is an array of time series, not one", mathAlarm(hidden, math("[m1, m1 * 2]"))},
		{"an alarm on math that cannot be read", validation, "Error in expression 'e1'", mathAlarm(hidden, math("m1 +"))},
		{"an alarm on math that returns two", validation, "Exactly one element of the metrics list should return data.", mathAlarm(types.MetricDataQuery{Id: aws.String("m1"), MetricStat: stat("Orders", "Sum")}, math("m1"))},
		{"an anomaly alarm", value, "anomaly detection", alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.ThresholdMetricId = aws.String("ad1") })},
		{"a state for an unknown alarm", "ResourceNotFound", "", func() error {
			_, err := b.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("x"), StateValue: "OK", StateReason: aws.String("y")})
			return err
		}},
		{"tags of an unknown alarm", "ResourceNotFoundException", "", func() error {
			_, err := b.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String("arn:aws:cloudwatch:us-east-1:000000000000:alarm:x")})
			return err
		}},
		{"an operation that is not there", "InvalidAction", "", func() error {
			_, err := b.ListDashboards(ctx, &cloudwatch.ListDashboardsInput{})
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.do()
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != tc.code || !strings.Contains(api.ErrorMessage(), tc.part) {
				t.Errorf("got %v, want %s: %s", err, tc.code, tc.part)
			}
		})
	}
	if got := b.data.List(metric.Filter{}); len(got) != 0 {
		t.Errorf("refused data were stored: %v", got)
	}
	if got := b.alarms.Alarms(alarms.Filter{}); len(got) != 0 {
		t.Errorf("refused alarms were stored: %v", got)
	}
}
