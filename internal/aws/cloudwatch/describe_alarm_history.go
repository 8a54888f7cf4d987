package cloudwatch

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/aws/wire"
	"neargate/internal/metric/alarms"
)

const historyAPage = 100

// describeAlarmHistory: codes ValidationError, InvalidNextToken.
func (s *service) describeAlarmHistory(_ context.Context, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	var c wire.Checks
	c.OptionalText("alarmName", in.AlarmName, 1, 255)
	c.OneOf("historyItemType", string(in.HistoryItemType), alarms.ConfigurationUpdate, alarms.StateUpdate, alarms.Action)
	c.OneOf("scanBy", string(in.ScanBy), string(types.ScanByTimestampDescending), string(types.ScanByTimestampAscending))
	limit := c.Range("maxRecords", in.MaxRecords, 1, historyAPage, historyAPage)
	if err := c.Err(codeValidation); err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: []types.AlarmHistoryItem{}}
	if len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm) {
		return out, nil
	}
	items := s.alarms.History(alarms.HistoryFilter{
		Alarm: aws.ToString(in.AlarmName), Type: string(in.HistoryItemType),
		Since: aws.ToTime(in.StartDate), Before: aws.ToTime(in.EndDate),
	})
	// Pages go by a key that grows: for the newest first, the time is counted
	// backwards.
	key := func(i alarms.HistoryItem) string {
		return fmt.Sprintf("%019d %s", math.MaxInt64-i.At.UnixNano(), i.Key)
	}
	if in.ScanBy == types.ScanByTimestampAscending {
		key = func(i alarms.HistoryItem) string { return fmt.Sprintf("%019d %s", i.At.UnixNano(), i.Key) }
	}
	slices.SortFunc(items, func(a, b alarms.HistoryItem) int { return strings.Compare(key(a), key(b)) })
	page, next, ok := wire.Page(items, key, aws.ToString(in.NextToken), int(limit))
	if !ok {
		return nil, badToken()
	}
	for _, i := range page {
		out.AlarmHistoryItems = append(out.AlarmHistoryItems, types.AlarmHistoryItem{
			AlarmName: aws.String(i.Alarm), AlarmType: types.AlarmTypeMetricAlarm, HistoryItemType: types.HistoryItemType(i.Type),
			HistorySummary: aws.String(i.Summary), HistoryData: aws.String(i.Data), Timestamp: aws.Time(i.At),
		})
	}
	out.NextToken = token(next)
	return out, nil
}
