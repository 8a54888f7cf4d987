package logs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"neargate/internal/aws/wire"
	"neargate/internal/logs"
	"neargate/internal/model"
)

// streamNames returns the group and the stream that a request names.
func streamNames(group, stream *string) (string, string, error) {
	var c wire.Checks
	g, n := c.Text("logGroupName", group, 1, 512), c.Text("logStreamName", stream, 1, 512)
	return g, n, c.Err(invalidParameter)
}

// createLogStream: codes InvalidParameterException, ResourceNotFoundException,
// ResourceAlreadyExistsException.
func (s *service) createLogStream(ctx context.Context, in *sdk.CreateLogStreamInput) (*sdk.CreateLogStreamOutput, error) {
	group, stream, err := streamNames(in.LogGroupName, in.LogStreamName)
	if err != nil {
		return nil, err
	}
	if err := s.logs.CreateStream(ctx, group, stream); err != nil {
		return nil, err
	}
	return &sdk.CreateLogStreamOutput{}, nil
}

// deleteLogStream: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) deleteLogStream(ctx context.Context, in *sdk.DeleteLogStreamInput) (*sdk.DeleteLogStreamOutput, error) {
	group, stream, err := streamNames(in.LogGroupName, in.LogStreamName)
	if err != nil {
		return nil, err
	}
	if err := s.logs.DeleteStream(ctx, group, stream); err != nil {
		return nil, err
	}
	return &sdk.DeleteLogStreamOutput{}, nil
}

// describeLogStreams: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) describeLogStreams(_ context.Context, in *sdk.DescribeLogStreamsInput) (*sdk.DescribeLogStreamsOutput, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byTime := in.OrderBy == types.OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, model.Errorf(model.Invalid, invalidParameter, "Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	var c wire.Checks
	limit := c.Range("limit", in.Limit, 1, 50, 50)
	c.OneOf("orderBy", string(in.OrderBy), string(types.OrderByLogStreamName), string(types.OrderByLastEventTime))
	if err := c.Err(invalidParameter); err != nil {
		return nil, err
	}
	all, err := s.logs.Streams(group, aws.ToString(in.LogStreamNamePrefix), byTime, aws.ToBool(in.Descending))
	if err != nil {
		return nil, err
	}
	// The order may be any of four, so a page is found by its place in it.
	index := make([]int, len(all))
	for i := range index {
		index[i] = i
	}
	index, next, ok := wire.Page(index, func(i int) string { return fmt.Sprintf("%09d", i) }, aws.ToString(in.NextToken), int(limit))
	if !ok {
		return nil, model.Errorf(model.Invalid, invalidParameter, "The specified nextToken is invalid.")
	}
	out := &sdk.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}, NextToken: optional(next)}
	for _, i := range index {
		out.LogStreams = append(out.LogStreams, logStream(all[i]))
	}
	return out, nil
}

func logStream(i logs.StreamInfo) types.LogStream {
	out := types.LogStream{
		Arn: aws.String(i.ARN), LogStreamName: aws.String(i.Name), CreationTime: aws.Int64(i.CreatedAt.UnixMilli()),
		StoredBytes: aws.Int64(0), //nolint:staticcheck // deprecated and always zero, but there: API_LogStream
	}
	if !i.Empty {
		out.FirstEventTimestamp, out.LastEventTimestamp = aws.Int64(i.First), aws.Int64(i.Last)
		out.LastIngestionTime = aws.Int64(i.Ingested)
	}
	return out
}
