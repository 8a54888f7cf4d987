// Package logs is the face of what containers print: the API of Amazon
// CloudWatch Logs over package logs. It keeps nothing of its own.
package logs

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"neargate/internal/aws/wire"
	"neargate/internal/logs"
	"neargate/internal/model"
)

type service struct {
	logs *logs.Logs
}

// New returns the face of a log store.
func New(store *logs.Logs) wire.Service {
	s := &service{logs: store}
	return wire.Service{
		SigningName:  "logs",
		TargetPrefix: "Logs_20140328",
		Style:        wire.LowerCamel,
		Refused:      refused(),
		Refuse:       wire.RefuseWith("InvalidParameterException"),
		Kept:         kept(),
		Operations: []wire.Operation{
			wire.Op("CreateLogGroup", s.createLogGroup),
			wire.Op("CreateLogStream", s.createLogStream),
			wire.Op("DeleteLogGroup", s.deleteLogGroup),
			wire.Op("DeleteLogStream", s.deleteLogStream),
			wire.Op("DeleteRetentionPolicy", s.deleteRetentionPolicy),
			wire.Op("DescribeLogGroups", s.describeLogGroups),
			wire.Op("DescribeLogStreams", s.describeLogStreams),
			wire.Op("FilterLogEvents", s.filterLogEvents),
			wire.Op("GetLogEvents", s.getLogEvents),
			wire.Op("ListTagsForResource", s.listTagsForResource),
			wire.Op("ListTagsLogGroup", s.listTagsLogGroup),
			wire.Op("PutLogEvents", s.putLogEvents),
			wire.Op("PutRetentionPolicy", s.putRetentionPolicy),
			wire.Op("TagLogGroup", s.tagLogGroup),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagLogGroup", s.untagLogGroup),
			wire.Op("UntagResource", s.untagResource),
		},
	}
}

// invalidParameter is the code of nearly all bad input here.
const invalidParameter = "InvalidParameterException"

// required returns the value of a member that must be set.
func required(member string, v *string) (string, error) {
	var c wire.Checks
	value := c.Text(member, v, 1, 512)
	return value, c.Err(invalidParameter)
}

// groupName returns the group that a request names, by name or by identifier,
// which is a name or an ARN. Exactly one must be set.
func groupName(name, identifier *string) (string, error) {
	if name != nil && identifier != nil {
		return "", model.Errorf(model.Invalid, invalidParameter, "LogGroupName and LogGroupIdentifier are mutually exclusive")
	}
	if identifier == nil {
		return required("logGroupName", name)
	}
	value, err := required("logGroupIdentifier", identifier)
	if err != nil || !strings.HasPrefix(value, "arn:") {
		return value, err
	}
	return groupOfARN(value)
}

// groupOfARN returns the name in a group's ARN, with or without ":*".
func groupOfARN(arn string) (string, error) {
	a, ok := model.ParseARN(arn)
	name, isGroup := strings.CutPrefix(a.Resource, "log-group:")
	name = strings.TrimSuffix(name, ":*")
	if !ok || a.Service != "logs" || !isGroup || strings.Contains(name, ":") {
		return "", model.Errorf(model.Invalid, invalidParameter, "%s is not the ARN of a log group", arn)
	}
	return name, nil
}

// optional returns nil for an empty text, as an answer leaves it out.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}
