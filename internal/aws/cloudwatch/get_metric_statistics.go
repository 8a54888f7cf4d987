package cloudwatch

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/metric"
)

// maxStatisticsPoints is how many datapoints one GetMetricStatistics may give.
const maxStatisticsPoints = 1440

// getMetricStatistics: codes InvalidParameterValueException,
// InvalidParameterCombinationException, MissingRequiredParameterException.
func (s *service) getMetricStatistics(_ context.Context, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
	if err := checkStatisticsInput(in); err != nil {
		return nil, err
	}
	stats, err := statisticsOf(in)
	if err != nil {
		return nil, err
	}
	period := time.Duration(*in.Period) * time.Second
	now := s.now()
	points, err := s.data.Query(metric.Query{
		ID: metricID(in.Namespace, in.MetricName, in.Dimensions), Unit: string(in.Unit), Period: period,
		Start: roundStart(*in.StartTime, now, period), End: in.EndTime.UTC(), Percentiles: len(in.ExtendedStatistics) > 0,
	})
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	for _, p := range points {
		out.Datapoints = append(out.Datapoints, datapoint(p, stats))
	}
	return out, nil
}

// namedStatistic is a statistic with its name.
type namedStatistic struct {
	name string
	stat metric.Statistic
}

func statisticsOf(in *cloudwatch.GetMetricStatisticsInput) ([]namedStatistic, error) {
	var out []namedStatistic
	for _, st := range in.Statistics {
		if !slices.Contains(st.Values(), st) {
			return nil, invalid("The parameter Statistics.member.1 must be a value in the set [ SampleCount, Average, Sum, Minimum, Maximum ].")
		}
		parsed, err := metric.ParseStatistic(string(st))
		if err != nil {
			return nil, invalid("The value %s for parameter Statistics is invalid.", st)
		}
		out = append(out, namedStatistic{string(st), parsed})
	}
	for _, name := range in.ExtendedStatistics {
		parsed, err := metric.ParseStatistic(name)
		if err != nil || !parsed.Percentile() {
			return nil, invalid("The value %s for parameter ExtendedStatistics is invalid: percentiles p0.0 to p100 are supported.", name)
		}
		out = append(out, namedStatistic{name, parsed})
	}
	return out, nil
}

func checkStatisticsInput(in *cloudwatch.GetMetricStatisticsInput) error {
	switch {
	case in.StartTime == nil:
		return missing("StartTime")
	case in.EndTime == nil:
		return missing("EndTime")
	case in.Period == nil:
		return missing("Period")
	}
	if err := checkMetric("", in.Namespace, in.MetricName, in.Dimensions); err != nil {
		return err
	}
	if err := checkUnit("Unit", in.Unit); err != nil {
		return err
	}
	switch {
	case !validPeriod(*in.Period):
		return invalid("The parameter Period must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60.")
	case !in.StartTime.Before(*in.EndTime):
		return invalid("The parameter StartTime must be less than the parameter EndTime.")
	case len(in.Statistics)+len(in.ExtendedStatistics) == 0:
		return combination("At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	case len(in.Statistics) > 0 && len(in.ExtendedStatistics) > 0:
		return combination("The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.")
	case len(in.Statistics) > 5:
		return invalid("The collection Statistics must not have a size greater than 5.")
	case len(in.ExtendedStatistics) > 10:
		return invalid("The collection ExtendedStatistics must not have a size greater than 10.")
	}
	period := time.Duration(*in.Period) * time.Second
	if n := int64(in.EndTime.Sub(*in.StartTime) / period); n > maxStatisticsPoints {
		return combination("You have requested up to %s datapoints, which exceeds the limit of 1,440. "+
			"You may reduce the datapoints requested by increasing Period, or decreasing the time range.", thousands(n))
	}
	return nil
}

// thousands writes a number with commas: 1,440.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func datapoint(p metric.Datapoint, stats []namedStatistic) types.Datapoint {
	out := types.Datapoint{Timestamp: aws.Time(p.At), Unit: types.StandardUnit(p.Unit)}
	for _, st := range stats {
		v, ok := p.Value(st.stat)
		if !ok {
			continue
		}
		switch st.name {
		case "SampleCount":
			out.SampleCount = &v
		case "Average":
			out.Average = &v
		case "Sum":
			out.Sum = &v
		case "Minimum":
			out.Minimum = &v
		case "Maximum":
			out.Maximum = &v
		default:
			if out.ExtendedStatistics == nil {
				out.ExtendedStatistics = map[string]float64{}
			}
			out.ExtendedStatistics[st.name] = v
		}
	}
	return out
}
