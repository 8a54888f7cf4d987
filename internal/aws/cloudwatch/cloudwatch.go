// Package cloudwatch is the face of metrics and alarms: Amazon CloudWatch's API
// over packages metric and metric/alarms. It keeps nothing of its own.
//
// What it does not have answers a clear error: composite, log, anomaly and
// PromQL alarms, statistics beyond percentiles, and the
// functions of metric math that need other services.
package cloudwatch

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/aws/wire"
	"neargate/internal/metric"
	"neargate/internal/metric/alarms"
	"neargate/internal/model"
)

type service struct {
	data   *metric.Store
	alarms *alarms.Alarms
	now    func() time.Time
}

// New creates the face of a metric store and its alarms.
func New(data *metric.Store, al *alarms.Alarms) wire.Service {
	return (&service{data: data, alarms: al, now: time.Now}).face()
}

func (s *service) face() wire.Service {
	return wire.Service{
		SigningName:  "monitoring",
		TargetPrefix: "GraniteServiceVersion20100801",
		Version:      "2010-08-01",
		Namespace:    "http://monitoring.amazonaws.com/doc/2010-08-01/",
		Style:        wire.UpperCamel,
		Status:       map[string]int{"ResourceNotFound": 404, "ResourceNotFoundException": 404},
		Refused:      refused(),
		Refuse:       wire.RefuseWith(codeValue),
		Kept:         kept(),
		QueryCodes: map[string]string{
			"InternalServiceFault":                 "InternalServiceError",
			"InvalidParameterCombinationException": "InvalidParameterCombination",
			"InvalidParameterValueException":       "InvalidParameterValue",
			"LimitExceededFault":                   "LimitExceeded",
			"MissingRequiredParameterException":    "MissingParameter",
		},
		Operations: []wire.Operation{
			wire.Op("DeleteAlarms", s.deleteAlarms),
			wire.Op("DescribeAlarmHistory", s.describeAlarmHistory),
			wire.Op("DescribeAlarms", s.describeAlarms),
			wire.Op("DescribeAlarmsForMetric", s.describeAlarmsForMetric),
			wire.Op("DisableAlarmActions", s.disableAlarmActions),
			wire.Op("EnableAlarmActions", s.enableAlarmActions),
			wire.Op("GetMetricData", s.getMetricData),
			wire.Op("GetMetricStatistics", s.getMetricStatistics),
			wire.Op("ListMetrics", s.listMetrics),
			wire.Op("ListTagsForResource", s.listTagsForResource),
			wire.Op("PutMetricAlarm", s.putMetricAlarm),
			wire.Op("PutMetricData", s.putMetricData),
			wire.Op("SetAlarmState", s.setAlarmState),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
		},
	}
}

// The error codes of CloudWatch that operations answer with.
const (
	codeValue       = "InvalidParameterValueException"
	codeCombination = "InvalidParameterCombinationException"
	codeMissing     = "MissingRequiredParameterException"
	codeValidation  = "ValidationError"
)

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, codeValue, format, args...)
}

func combination(format string, args ...any) error {
	return model.Errorf(model.Invalid, codeCombination, format, args...)
}

func validation(format string, args ...any) error {
	return model.Errorf(model.Invalid, codeValidation, format, args...)
}

func missing(parameter string) error {
	return model.Errorf(model.Invalid, codeMissing, "The parameter %s is required.", parameter)
}

// metricID reads the name of a metric; its dimensions come sorted.
func metricID(namespace, name *string, dims []types.Dimension) model.MetricID {
	id := model.MetricID{Namespace: aws.ToString(namespace), Name: aws.ToString(name)}
	for _, d := range dims {
		id.Dimensions = append(id.Dimensions, model.Dimension{Name: aws.ToString(d.Name), Value: aws.ToString(d.Value)})
	}
	slices.SortStableFunc(id.Dimensions, func(a, b model.Dimension) int { return strings.Compare(a.Name, b.Name) })
	return id
}

func dimensions(id model.MetricID) []types.Dimension {
	out := make([]types.Dimension, len(id.Dimensions))
	for i, d := range id.Dimensions {
		out[i] = types.Dimension{Name: aws.String(d.Name), Value: aws.String(d.Value)}
	}
	return out
}

// maxDimensions is CloudWatch's limit of dimensions per metric.
const maxDimensions = 30

// checkMetric wants a metric's name to be whole; at says where it stands in
// the request ("MetricData.member.1.").
func checkMetric(at string, namespace, name *string, dims []types.Dimension) error {
	switch {
	case aws.ToString(namespace) == "":
		return missing("Namespace")
	case len(*namespace) > 255:
		return invalid("The parameter Namespace must be shorter than 256 characters.")
	case aws.ToString(name) == "":
		return missing(at + "MetricName")
	case len(*name) > 255:
		return invalid("The parameter %sMetricName must be shorter than 256 characters.", at)
	case len(dims) > maxDimensions:
		return invalid("The collection %sDimensions must not have a size greater than %d.", at, maxDimensions)
	case strings.ContainsRune(*namespace+*name, 0):
		return invalid("The parameter %sMetricName contains a control character.", at)
	}
	seen := map[string]bool{}
	for i, d := range dims {
		name, value := aws.ToString(d.Name), aws.ToString(d.Value)
		switch {
		case name == "" || value == "":
			return invalid("The parameter %sDimensions.member.%d must have a Name and a Value.", at, i+1)
		case len(name) > 255:
			return invalid("The parameter %sDimensions.member.%d.Name must be shorter than 256 characters.", at, i+1)
		case len(value) > 1024:
			return invalid("The parameter %sDimensions.member.%d.Value must be shorter than 1025 characters.", at, i+1)
		case strings.ContainsRune(name+value, 0):
			return invalid("The parameter %sDimensions.member.%d contains a control character.", at, i+1)
		case seen[name]:
			return invalid("The collection %sDimensions has the name %s twice.", at, name)
		}
		seen[name] = true
	}
	return nil
}

// checkUnit wants a unit to be one of CloudWatch's, or none.
func checkUnit(parameter string, u types.StandardUnit) error {
	if u == "" || slices.Contains(u.Values(), u) {
		return nil
	}
	names := make([]string, 0, len(u.Values()))
	for _, known := range u.Values() {
		names = append(names, string(known))
	}
	return invalid("The parameter %s must be a value in the set [ %s ].", parameter, strings.Join(names, ", "))
}
