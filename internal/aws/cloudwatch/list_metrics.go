package cloudwatch

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/aws/wire"
	"neargate/internal/metric"
	"neargate/internal/model"
)

// ListMetrics shows what had data in the last two weeks, 500 a page.
const (
	listedFor    = 14 * 24 * time.Hour
	recentFor    = 3 * time.Hour
	metricsAPage = 500
)

// listMetrics: codes InvalidParameterValueException, InvalidNextToken.
func (s *service) listMetrics(_ context.Context, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	f := metric.Filter{Namespace: aws.ToString(in.Namespace), Name: aws.ToString(in.MetricName), Since: s.now().Add(-listedFor)}
	switch in.RecentlyActive {
	case "":
	case types.RecentlyActivePt3h:
		f.Since = s.now().Add(-recentFor)
	default:
		return nil, invalid("The parameter RecentlyActive must be a value in the set [ PT3H ].")
	}
	for _, d := range in.Dimensions {
		if aws.ToString(d.Name) == "" {
			return nil, missing("Dimensions.member.1.Name")
		}
		f.Dimensions = append(f.Dimensions, model.Dimension{Name: *d.Name, Value: aws.ToString(d.Value)})
	}
	page, next, ok := wire.Page(s.data.List(f), metric.Key, aws.ToString(in.NextToken), metricsAPage)
	if !ok {
		return nil, badToken()
	}
	out := &cloudwatch.ListMetricsOutput{Metrics: []types.Metric{}, NextToken: token(next)}
	for _, id := range page {
		out.Metrics = append(out.Metrics, types.Metric{Namespace: aws.String(id.Namespace), MetricName: aws.String(id.Name), Dimensions: dimensions(id)})
	}
	return out, nil
}

func badToken() error {
	return model.Errorf(model.Invalid, "InvalidNextToken", "The next token specified is invalid.")
}

// token returns a token for an output, where none is nil.
func token(next string) *string {
	if next == "" {
		return nil
	}
	return &next
}
