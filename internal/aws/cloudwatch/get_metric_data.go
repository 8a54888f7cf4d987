package cloudwatch

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/decide/expression"
)

// Limits of GetMetricData.
const (
	maxQueries    = 500
	maxDataPoints = 100_800
)

// getMetricData: codes ValidationError, InvalidNextToken.
func (s *service) getMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	r, err := s.newRequest(in)
	if err != nil {
		return nil, err
	}
	skip, err := readOffset(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{}, Messages: []types.MessageData{}}
	left := int(aws.ToInt32(in.MaxDatapoints))
	if left == 0 {
		left = maxDataPoints
	}
	seen := 0
	for _, q := range in.MetricDataQueries {
		if q.ReturnData != nil && !*q.ReturnData {
			continue
		}
		series, err := r.Series(*q.Id)
		if err != nil {
			return nil, err
		}
		for _, one := range series {
			at, v := one.At, one.V
			if in.ScanBy != types.ScanByTimestampAscending {
				at, v = slices.Clone(at), slices.Clone(v)
				slices.Reverse(at)
				slices.Reverse(v)
			}
			from := min(max(skip-seen, 0), len(at))
			to := min(from+left, len(at))
			seen += len(at)
			left -= to - from
			res := types.MetricDataResult{Id: q.Id, Label: aws.String(label(q, one)), StatusCode: types.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{}}
			for i := from; i < to; i++ {
				res.Timestamps = append(res.Timestamps, time.Unix(at[i], 0).UTC())
				res.Values = append(res.Values, v[i])
			}
			if to < len(at) {
				res.StatusCode = types.StatusCodePartialData
			}
			out.MetricDataResults = append(out.MetricDataResults, res)
		}
	}
	if given := skip + pageSize(out); given < seen {
		out.NextToken = aws.String(base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(given))))
	}
	return out, nil
}

func pageSize(out *cloudwatch.GetMetricDataOutput) int {
	n := 0
	for _, r := range out.MetricDataResults {
		n += len(r.Values)
	}
	return n
}

// readOffset reads a token: how many datapoints earlier pages had.
func readOffset(t *string) (int, error) {
	if aws.ToString(t) == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(*t)
	if err != nil {
		return 0, badToken()
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n <= 0 {
		return 0, badToken()
	}
	return n, nil
}

// label is what the caller wants, or the metric's name, or the expression's id.
// The series of an array keep their own, after the wanted one.
func label(q types.MetricDataQuery, s expression.Series) string {
	wanted := aws.ToString(q.Label)
	switch {
	case q.MetricStat != nil && wanted != "":
		return wanted
	case q.MetricStat != nil || s.Label == "":
		return cmp.Or(s.Label, wanted, aws.ToString(q.Id))
	case wanted != "":
		return wanted + " " + s.Label
	}
	return s.Label
}
