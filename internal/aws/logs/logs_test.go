package logs_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	face "neargate/internal/aws/logs"
	"neargate/internal/aws/wire"
	"neargate/internal/logs"
	"neargate/internal/model"
	"neargate/internal/store"
)

// anyone lets every request in.
type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) { return wire.Caller{}, nil }, nil
}

// newClient returns an SDK client of a fresh log store.
func newClient(t *testing.T) *sdk.Client {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := slog.New(slog.DiscardHandler)
	l, err := logs.Open(db, logs.Config{Dir: t.TempDir(), Place: model.Place{Region: "us-east-1", Account: "000000000000"}}, log)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(wire.NewHandler([]wire.Service{face.New(l)}, anyone{}, wire.Config{Log: log}))
	t.Cleanup(srv.Close)
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(srv.URL),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: srv.Client(),
	})
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestGroups(t *testing.T) {
	c := newClient(t)
	for _, name := range []string{"/ecs/app", "/ecs/web", "other"} {
		must[*sdk.CreateLogGroupOutput](t)(c.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: aws.String(name), Tags: map[string]string{"a": "1"}}))
	}
	name := aws.String("/ecs/app")
	must[*sdk.PutRetentionPolicyOutput](t)(c.PutRetentionPolicy(t.Context(), &sdk.PutRetentionPolicyInput{LogGroupName: name, RetentionInDays: aws.Int32(7)}))
	out := must[*sdk.DescribeLogGroupsOutput](t)(c.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{LogGroupNamePrefix: name}))
	if len(out.LogGroups) != 1 {
		t.Fatalf("groups = %+v", out.LogGroups)
	}
	g := out.LogGroups[0]
	got := []string{*g.LogGroupName, *g.Arn, *g.LogGroupArn, strconv.Itoa(int(*g.RetentionInDays)), string(g.LogGroupClass)}
	want := []string{"/ecs/app", "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/app:*", "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/app", "7", "STANDARD"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	must[*sdk.DeleteRetentionPolicyOutput](t)(c.DeleteRetentionPolicy(t.Context(), &sdk.DeleteRetentionPolicyInput{LogGroupName: name}))
	must[*sdk.TagResourceOutput](t)(c.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: g.LogGroupArn, Tags: map[string]string{"b": "2"}}))
	must[*sdk.UntagLogGroupOutput](t)(c.UntagLogGroup(t.Context(), &sdk.UntagLogGroupInput{LogGroupName: name, Tags: []string{"a"}})) //nolint:staticcheck // deprecated, still called by old clients
	tags := must[*sdk.ListTagsForResourceOutput](t)(c.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: g.Arn}))
	if diff := cmp.Diff(map[string]string{"b": "2"}, tags.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	var names []string
	for p := sdk.NewDescribeLogGroupsPaginator(c, &sdk.DescribeLogGroupsInput{Limit: aws.Int32(2)}); p.HasMorePages(); {
		for _, g := range must[*sdk.DescribeLogGroupsOutput](t)(p.NextPage(t.Context())).LogGroups {
			if names = append(names, *g.LogGroupName); g.RetentionInDays != nil {
				t.Errorf("group %s keeps a retention", *g.LogGroupName)
			}
		}
	}
	if diff := cmp.Diff([]string{"/ecs/app", "/ecs/web", "other"}, names); diff != "" {
		t.Errorf("all groups (-want +got):\n%s", diff)
	}
	must[*sdk.DeleteLogGroupOutput](t)(c.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: name}))
}

func TestStreamsAndEvents(t *testing.T) {
	c := newClient(t)
	group, now := aws.String("g"), time.Now().Truncate(time.Millisecond)
	must[*sdk.CreateLogGroupOutput](t)(c.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: group}))
	for i, name := range []string{"one", "two", "three"} {
		must[*sdk.CreateLogStreamOutput](t)(c.CreateLogStream(t.Context(), &sdk.CreateLogStreamInput{LogGroupName: group, LogStreamName: aws.String(name)}))
		var events []types.InputLogEvent
		for k := range 5 {
			at := now.Add(time.Duration(k*10+i) * time.Second).UnixMilli()
			events = append(events, types.InputLogEvent{Timestamp: &at, Message: aws.String(name + " " + strconv.Itoa(k))})
		}
		events = append(events, types.InputLogEvent{Timestamp: aws.Int64(now.Add(3 * time.Hour).UnixMilli()), Message: aws.String("early")})
		put := must[*sdk.PutLogEventsOutput](t)(c.PutLogEvents(t.Context(), &sdk.PutLogEventsInput{LogGroupName: group, LogStreamName: aws.String(name), LogEvents: events}))
		if r := put.RejectedLogEventsInfo; r == nil || *r.TooNewLogEventStartIndex != 5 || r.TooOldLogEventEndIndex != nil || len(*put.NextSequenceToken) != 56 {
			t.Errorf("put = %+v", put)
		}
	}

	// The paginator ends when the forward token stands still.
	var got []string
	for p := sdk.NewGetLogEventsPaginator(c, &sdk.GetLogEventsInput{LogGroupIdentifier: group, LogStreamName: aws.String("two"), StartFromHead: aws.Bool(true), Limit: aws.Int32(2)}, func(o *sdk.GetLogEventsPaginatorOptions) {
		o.StopOnDuplicateToken = true
	}); p.HasMorePages(); {
		for _, e := range must[*sdk.GetLogEventsOutput](t)(p.NextPage(t.Context())).Events {
			got = append(got, *e.Message)
		}
	}
	if diff := cmp.Diff([]string{"two 0", "two 1", "two 2", "two 3", "two 4"}, got); diff != "" {
		t.Errorf("events of two (-want +got):\n%s", diff)
	}

	got = nil
	for p := sdk.NewFilterLogEventsPaginator(c, &sdk.FilterLogEventsInput{LogGroupName: group, FilterPattern: aws.String("?1 ?3"), Limit: aws.Int32(4)}); p.HasMorePages(); {
		for _, e := range must[*sdk.FilterLogEventsOutput](t)(p.NextPage(t.Context())).Events {
			if got = append(got, *e.Message); !strings.HasPrefix(*e.Message, *e.LogStreamName) || *e.EventId == "" || *e.IngestionTime == 0 {
				t.Errorf("event = %+v", e)
			}
		}
	}
	if diff := cmp.Diff([]string{"one 1", "two 1", "three 1", "one 3", "two 3", "three 3"}, got); diff != "" {
		t.Errorf("filtered events (-want +got):\n%s", diff)
	}

	got = nil
	for p := sdk.NewDescribeLogStreamsPaginator(c, &sdk.DescribeLogStreamsInput{LogGroupName: group, OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true), Limit: aws.Int32(2)}); p.HasMorePages(); {
		for _, s := range must[*sdk.DescribeLogStreamsOutput](t)(p.NextPage(t.Context())).LogStreams {
			if got = append(got, *s.LogStreamName); *s.LastEventTimestamp-*s.FirstEventTimestamp != 40_000 {
				t.Errorf("stream = %+v", s)
			}
		}
	}
	if !slices.Equal(got, []string{"three", "two", "one"}) {
		t.Errorf("streams by time = %v", got)
	}
	must[*sdk.DeleteLogStreamOutput](t)(c.DeleteLogStream(t.Context(), &sdk.DeleteLogStreamInput{LogGroupName: group, LogStreamName: aws.String("one")}))
}

func TestErrors(t *testing.T) {
	c := newClient(t)
	group := aws.String("g")
	must[*sdk.CreateLogGroupOutput](t)(c.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: group}))
	for _, row := range []struct {
		name, code, text string
		call             func() error
	}{
		{"the same group", "ResourceAlreadyExistsException", "The specified log group already exists", func() error {
			_, err := c.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: group})
			return err
		}},
		{"an unknown group", "ResourceNotFoundException", "The specified log group does not exist.", func() error {
			_, err := c.CreateLogStream(t.Context(), &sdk.CreateLogStreamInput{LogGroupName: aws.String("none"), LogStreamName: group})
			return err
		}},
		{"an unknown stream", "ResourceNotFoundException", "The specified log stream does not exist.", func() error {
			_, err := c.GetLogEvents(t.Context(), &sdk.GetLogEventsInput{LogGroupName: group, LogStreamName: aws.String("none")})
			return err
		}},
		{"name and identifier", "InvalidParameterException", "mutually exclusive", func() error {
			_, err := c.GetLogEvents(t.Context(), &sdk.GetLogEventsInput{LogGroupName: group, LogGroupIdentifier: group, LogStreamName: group})
			return err
		}},
		{"a retention that is not offered", "InvalidParameterException", "retentionInDays", func() error {
			_, err := c.PutRetentionPolicy(t.Context(), &sdk.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: aws.Int32(2)})
			return err
		}},
		{"a limit that is too high", "InvalidParameterException", "less than or equal to 50", func() error {
			_, err := c.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{Limit: aws.Int32(51)})
			return err
		}},
		{"a bad token", "InvalidParameterException", "nextToken", func() error {
			_, err := c.FilterLogEvents(t.Context(), &sdk.FilterLogEventsInput{LogGroupName: group, NextToken: aws.String("?")})
			return err
		}},
		{"a JSON pattern", "InvalidParameterException", "JSON filter patterns are not supported", func() error {
			_, err := c.FilterLogEvents(t.Context(), &sdk.FilterLogEventsInput{LogGroupName: group, FilterPattern: aws.String("{ $.a = 1 }")})
			return err
		}},
		{"order by time with a prefix", "InvalidParameterException", "LastEventTime", func() error {
			_, err := c.DescribeLogStreams(t.Context(), &sdk.DescribeLogStreamsInput{LogGroupName: group, OrderBy: types.OrderByLastEventTime, LogStreamNamePrefix: group})
			return err
		}},
		{"another's ARN", "InvalidParameterException", "not the ARN of a log group", func() error {
			_, err := c.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:ecs:us-east-1:000000000000:cluster/c")})
			return err
		}},
		{"an operation that is not there", "UnknownOperationException", "", func() error {
			_, err := c.StartQuery(t.Context(), &sdk.StartQueryInput{QueryString: aws.String("x"), StartTime: aws.Int64(0), EndTime: aws.Int64(1)})
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := row.call(); code(err) != row.code || !strings.Contains(err.Error(), row.text) {
				t.Errorf("error = %v, want %s with %q", err, row.code, row.text)
			}
		})
	}
}
