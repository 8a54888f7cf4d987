package cloudwatch

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/model"
)

// Limits of PutMetricData.
const (
	maxData   = 1000
	maxValues = 150
	oldest    = 14 * 24 * time.Hour
	newest    = 2 * time.Hour
)

// maxMagnitude bounds values.
const maxMagnitude = 0x1p360

// putMetricData: codes InvalidParameterValueException,
// InvalidParameterCombinationException, MissingRequiredParameterException.
// Nothing is stored unless all of it is valid.
func (s *service) putMetricData(_ context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	namespace := aws.ToString(in.Namespace)
	if namespace == "" {
		return nil, missing("Namespace")
	}
	if strings.HasPrefix(namespace, "AWS/") {
		return nil, invalid("The value %s for parameter Namespace is invalid.", namespace)
	}
	now := s.now()
	var data []model.Datum
	take := func(at string, list []types.MetricDatum) error {
		for i, d := range list {
			datum, err := datumOf(fmt.Sprintf("%sMetricData.member.%d.", at, i+1), namespace, d, now)
			if err != nil {
				return err
			}
			data = append(data, datum)
		}
		return nil
	}
	n := len(in.MetricData)
	for _, e := range in.EntityMetricData {
		n += len(e.MetricData)
	}
	switch {
	case n == 0:
		return nil, missing("MetricData")
	case n > maxData:
		return nil, invalid("The collection MetricData must not have a size greater than %d.", maxData)
	}
	if err := take("", in.MetricData); err != nil {
		return nil, err
	}
	for i, e := range in.EntityMetricData {
		if err := take(fmt.Sprintf("EntityMetricData.member.%d.", i+1), e.MetricData); err != nil {
			return nil, err
		}
	}
	if err := s.data.PutDurably(now, data); err != nil {
		return nil, err
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

func datumOf(at, namespace string, d types.MetricDatum, now time.Time) (model.Datum, error) {
	out := model.Datum{ID: metricID(&namespace, d.MetricName, d.Dimensions), At: now, Unit: string(d.Unit), Resolution: int(aws.ToInt32(d.StorageResolution))}
	if err := checkMetric(at, &namespace, d.MetricName, d.Dimensions); err != nil {
		return out, err
	}
	if err := checkUnit(at+"Unit", d.Unit); err != nil {
		return out, err
	}
	if d.StorageResolution != nil && out.Resolution != 1 && out.Resolution != 60 {
		return out, invalid("The parameter %sStorageResolution must be a value in the set [ 1, 60 ].", at)
	}
	if d.Timestamp != nil {
		out.At = *d.Timestamp
		switch {
		case out.At.Before(now.Add(-oldest)):
			return out, invalid("The parameter %sTimestamp must specify a time within the past two weeks.", at)
		case out.At.After(now.Add(newest)):
			return out, invalid("The parameter %sTimestamp must specify a time no more than two hours in the future.", at)
		}
	}
	return out, fillValues(&out, at, d)
}

// fillValues takes a datum's Value, Values with Counts, or StatisticValues.
func fillValues(out *model.Datum, at string, d types.MetricDatum) error {
	given := []string{}
	if d.Value != nil {
		given = append(given, at+"Value")
	}
	if len(d.Values) > 0 {
		given = append(given, at+"Values")
	}
	if d.StatisticValues != nil {
		given = append(given, at+"StatisticValues")
	}
	switch {
	case len(given) == 0:
		return model.Errorf(model.Invalid, codeMissing, "At least one of the parameters %sValue, %sValues and %sStatisticValues must be specified.", at, at, at)
	case len(given) > 1:
		return combination("The parameters %s and %s are mutually exclusive and you have specified both.", given[0], given[1])
	case d.Value != nil:
		out.Values = []float64{*d.Value}
		return checkNumber(at+"Value", *d.Value)
	case d.StatisticValues != nil:
		return fillStatistics(out, at+"StatisticValues", *d.StatisticValues)
	case len(d.Values) > maxValues:
		return invalid("The collection %sValues must not have a size greater than %d.", at, maxValues)
	case len(d.Counts) > 0 && len(d.Counts) != len(d.Values):
		return invalid("The parameters %sValues and %sCounts must be of the same size.", at, at)
	}
	out.Values = d.Values
	for i, v := range d.Values {
		if err := checkNumber(fmt.Sprintf("%sValues.member.%d", at, i+1), v); err != nil {
			return err
		}
	}
	for i, n := range d.Counts {
		if err := checkCount(fmt.Sprintf("%sCounts.member.%d", at, i+1), n); err != nil {
			return err
		}
		out.Counts = d.Counts
	}
	return nil
}

func fillStatistics(out *model.Datum, at string, set types.StatisticSet) error {
	for _, f := range []struct {
		name string
		v    *float64
	}{{"SampleCount", set.SampleCount}, {"Sum", set.Sum}, {"Minimum", set.Minimum}, {"Maximum", set.Maximum}} {
		if f.v == nil {
			return missing(at + "." + f.name)
		}
		if err := checkNumber(at+"."+f.name, *f.v); err != nil {
			return err
		}
	}
	if err := checkCount(at+".SampleCount", *set.SampleCount); err != nil {
		return err
	}
	if *set.Maximum < *set.Minimum {
		return invalid("The parameter %s.Maximum must be greater than %s.Minimum.", at, at)
	}
	out.Stats = &model.StatisticSet{SampleCount: *set.SampleCount, Sum: *set.Sum, Minimum: *set.Minimum, Maximum: *set.Maximum}
	return nil
}

func checkNumber(parameter string, v float64) error {
	if math.IsNaN(v) || math.Abs(v) > maxMagnitude {
		return invalid("The value %v for parameter %s is invalid.", v, parameter)
	}
	return nil
}

func checkCount(parameter string, n float64) error {
	if n < 0 {
		return invalid("The value %v for parameter %s is invalid.", n, parameter)
	}
	return checkNumber(parameter, n)
}
