package applicationautoscaling_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func scheduled(id, name string) *sdk.PutScheduledActionInput {
	return &sdk.PutScheduledActionInput{
		ServiceNamespace: ecs, ResourceId: &id, ScalableDimension: desired, ScheduledActionName: &name,
		Schedule: aws.String("cron(0 9 ? * MON-FRI *)"), Timezone: aws.String("Europe/Berlin"),
		StartTime:            aws.Time(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)),
		EndTime:              aws.Time(time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC)),
		ScalableTargetAction: &types.ScalableTargetAction{MinCapacity: aws.Int32(0), MaxCapacity: aws.Int32(7)},
	}
}

func TestScheduledActionReadsBackAsItWasPut(t *testing.T) {
	c, _ := newClient(t)
	if _, err := c.RegisterScalableTarget(t.Context(), registration("service/c/web")); err != nil {
		t.Fatal(err)
	}
	put := func(in *sdk.PutScheduledActionInput) {
		t.Helper()
		if _, err := c.PutScheduledAction(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	describe := func() []types.ScheduledAction {
		t.Helper()
		out, err := c.DescribeScheduledActions(t.Context(), &sdk.DescribeScheduledActionsInput{
			ServiceNamespace: ecs, ResourceId: aws.String("service/c/web"), ScalableDimension: desired, ScheduledActionNames: []string{"morning"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.ScheduledActions
	}
	in := scheduled("service/c/web", "morning")
	put(in)
	put(scheduled("service/c/web", "evening"))
	want := types.ScheduledAction{
		ServiceNamespace: ecs, ResourceId: in.ResourceId, ScalableDimension: desired, ScheduledActionName: in.ScheduledActionName,
		Schedule: in.Schedule, Timezone: in.Timezone, StartTime: in.StartTime, EndTime: in.EndTime, ScalableTargetAction: in.ScalableTargetAction,
	}
	opts := cmp.Options{
		cmpopts.IgnoreUnexported(types.ScheduledAction{}, types.ScalableTargetAction{}),
		cmpopts.IgnoreFields(types.ScheduledAction{}, "CreationTime", "ScheduledActionARN"),
	}
	got := describe()
	if diff := cmp.Diff([]types.ScheduledAction{want}, got, opts); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	arn := *got[0].ScheduledActionARN
	if !strings.HasPrefix(arn, "arn:aws:autoscaling:us-east-1:000000000000:scheduledAction:") ||
		!strings.HasSuffix(arn, ":resource/ecs/service/c/web:scheduledActionName/morning") || got[0].CreationTime == nil {
		t.Errorf("ARN %s, created %v", arn, got[0].CreationTime)
	}

	put(&sdk.PutScheduledActionInput{
		ServiceNamespace: ecs, ResourceId: in.ResourceId, ScalableDimension: desired, ScheduledActionName: in.ScheduledActionName,
		ScalableTargetAction: &types.ScalableTargetAction{MaxCapacity: aws.Int32(3)},
	})
	want.StartTime, want.EndTime, want.ScalableTargetAction = nil, nil, &types.ScalableTargetAction{MaxCapacity: aws.Int32(3)}
	got = describe()
	if diff := cmp.Diff([]types.ScheduledAction{want}, got, opts); diff != "" || *got[0].ScheduledActionARN != arn {
		t.Errorf("after an update (-want +got):\n%s", diff)
	}

	del := &sdk.DeleteScheduledActionInput{ServiceNamespace: ecs, ResourceId: in.ResourceId, ScalableDimension: desired, ScheduledActionName: in.ScheduledActionName}
	if _, err := c.DeleteScheduledAction(t.Context(), del); err != nil {
		t.Fatal(err)
	}
	_, err := c.DeleteScheduledAction(t.Context(), del)
	if e, ok := errors.AsType[*types.ObjectNotFoundException](err); !ok || !strings.HasPrefix(*e.Message, "No scheduled action found for service namespace: ecs, resource ID: service/c/web") {
		t.Errorf("deleted twice: %v", err)
	}
	if left := describe(); len(left) > 0 {
		t.Errorf("deleted, and still there: %+v", left)
	}
}

func TestScheduledActionsByPage(t *testing.T) {
	c, _ := newClient(t)
	if _, err := c.RegisterScalableTarget(t.Context(), registration("service/c/web")); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for i := range 5 {
		want = append(want, fmt.Sprint("action-", i))
		if _, err := c.PutScheduledAction(t.Context(), scheduled("service/c/web", want[i])); err != nil {
			t.Fatal(err)
		}
	}
	pages := sdk.NewDescribeScheduledActionsPaginator(c, &sdk.DescribeScheduledActionsInput{ServiceNamespace: ecs, MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range p.ScheduledActions {
			got = append(got, *a.ScheduledActionName)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScheduledActionRefusals(t *testing.T) {
	c, _ := newClient(t)
	if _, err := c.RegisterScalableTarget(t.Context(), registration("service/c/web")); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, code, msg string
		change          func(*sdk.PutScheduledActionInput)
	}{
		{"words for a schedule", "ValidationException", "Invalid schedule expression. Details: Schedule expression must have", func(in *sdk.PutScheduledActionInput) { in.Schedule = aws.String("hourly") }},
		{"empty schedule", "ValidationException", "1 validation error detected: Value '' at 'schedule'", func(in *sdk.PutScheduledActionInput) { in.Schedule = aws.String("") }},
		{"long name", "ValidationException", "1 validation error detected: Value 'aaa", func(in *sdk.PutScheduledActionInput) { in.ScheduledActionName = aws.String(strings.Repeat("a", 257)) }},
		{"no bound", "ValidationException", "At least one of MinCapacity and MaxCapacity", func(in *sdk.PutScheduledActionInput) { in.ScalableTargetAction = &types.ScalableTargetAction{} }},
		{"unknown target", "ObjectNotFoundException", "No scalable target registered", func(in *sdk.PutScheduledActionInput) { in.ResourceId = aws.String("service/c/other") }},
		{"other dimension", "ValidationException", "Unsupported service namespace", func(in *sdk.PutScheduledActionInput) {
			in.ScalableDimension = types.ScalableDimensionDynamoDBTableReadCapacityUnits
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := scheduled("service/c/web", "morning")
			row.change(in)
			_, err := c.PutScheduledAction(t.Context(), in)
			e, ok := errors.AsType[smithy.APIError](err)
			if !ok || e.ErrorCode() != row.code || !strings.HasPrefix(e.ErrorMessage(), row.msg) {
				t.Errorf("error = %v, want %s: %s", err, row.code, row.msg)
			}
		})
	}
}
