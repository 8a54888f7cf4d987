package logs

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"neargate/internal/aws/wire"
	"neargate/internal/logs"
	"neargate/internal/model"
)

// maxEvents is the limit of events in an answer.
const maxEvents = 10_000

// putLogEvents: codes InvalidParameterException, ResourceNotFoundException.
// The sequence token is ignored, and one is still given, as on AWS.
func (s *service) putLogEvents(_ context.Context, in *sdk.PutLogEventsInput) (*sdk.PutLogEventsOutput, error) {
	group, stream, err := streamNames(in.LogGroupName, in.LogStreamName)
	if err != nil {
		return nil, err
	}
	var c wire.Checks
	lines := make([]model.LogLine, len(in.LogEvents))
	for i, e := range in.LogEvents {
		c.Required(fmt.Sprintf("logEvents.%d.member.message", i+1), e.Message != nil)
		c.Required(fmt.Sprintf("logEvents.%d.member.timestamp", i+1), e.Timestamp != nil)
		lines[i] = model.LogLine{At: time.UnixMilli(aws.ToInt64(e.Timestamp)), Message: aws.ToString(e.Message)}
	}
	if err := c.Err(invalidParameter); err != nil {
		return nil, err
	}
	rejected, err := s.logs.Put(group, stream, lines)
	if err != nil {
		return nil, err
	}
	token, err := sequenceToken()
	if err != nil {
		return nil, err
	}
	return &sdk.PutLogEventsOutput{NextSequenceToken: &token, RejectedLogEventsInfo: rejectedInfo(rejected)}, nil
}

// sequenceToken is 56 digits that mean nothing.
func sequenceToken() (string, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(56), nil))
	if err != nil {
		return "", fmt.Errorf("make sequence token: %w", err)
	}
	return fmt.Sprintf("%056d", n), nil
}

func rejectedInfo(r logs.Rejected) *types.RejectedLogEventsInfo {
	if r.TooNewStart < 0 && r.TooOldEnd < 0 && r.ExpiredEnd < 0 {
		return nil
	}
	index := func(n int) *int32 {
		if n < 0 {
			return nil
		}
		return aws.Int32(int32(n)) // at most 10,000
	}
	return &types.RejectedLogEventsInfo{
		TooNewLogEventStartIndex: index(r.TooNewStart), TooOldLogEventEndIndex: index(r.TooOldEnd), ExpiredLogEventEndIndex: index(r.ExpiredEnd),
	}
}

// getLogEvents: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) getLogEvents(_ context.Context, in *sdk.GetLogEventsInput) (*sdk.GetLogEventsOutput, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	var c wire.Checks
	q := logs.Query{
		Group: group, Stream: c.Text("logStreamName", in.LogStreamName, 1, 512), Start: in.StartTime, End: in.EndTime,
		Limit: int(c.Range("limit", in.Limit, 1, maxEvents, 0)), FromHead: aws.ToBool(in.StartFromHead), Token: aws.ToString(in.NextToken),
	}
	if err := c.Err(invalidParameter); err != nil {
		return nil, err
	}
	page, err := s.logs.Events(q)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetLogEventsOutput{Events: []types.OutputLogEvent{}, NextForwardToken: &page.Forward, NextBackwardToken: &page.Backward}
	for _, e := range page.Events {
		out.Events = append(out.Events, types.OutputLogEvent{Message: aws.String(e.Message), Timestamp: aws.Int64(e.At), IngestionTime: aws.Int64(e.IngestedAt)})
	}
	return out, nil
}

// filterLogEvents: codes InvalidParameterException, ResourceNotFoundException.
// Events are always interleaved; searchedLogStreams is always empty, as on AWS.
func (s *service) filterLogEvents(ctx context.Context, in *sdk.FilterLogEventsInput) (*sdk.FilterLogEventsOutput, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	var c wire.Checks
	q := logs.Search{
		Group: group, Streams: in.LogStreamNames, Prefix: aws.ToString(in.LogStreamNamePrefix), Start: in.StartTime, End: in.EndTime,
		Pattern: aws.ToString(in.FilterPattern), Limit: int(c.Range("limit", in.Limit, 1, maxEvents, 0)),
		Newest: in.StartFromHead != nil && !*in.StartFromHead, Token: aws.ToString(in.NextToken),
	}
	if len(in.LogStreamNames) > 100 {
		c.Fail("logStreamNames", "null", "Member must have length less than or equal to 100")
	}
	if err := c.Err(invalidParameter); err != nil {
		return nil, err
	}
	events, token, err := s.logs.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &sdk.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}, NextToken: optional(token)}
	for _, e := range events {
		out.Events = append(out.Events, types.FilteredLogEvent{
			EventId: aws.String(e.ID), LogStreamName: aws.String(e.Stream), Message: aws.String(e.Message),
			Timestamp: aws.Int64(e.At), IngestionTime: aws.Int64(e.IngestedAt),
		})
	}
	return out, nil
}
