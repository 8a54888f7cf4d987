package logs

import (
	"context"
	"math"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"neargate/internal/aws/wire"
	"neargate/internal/logs"
	"neargate/internal/model"
)

// createLogGroup: codes InvalidParameterException, ResourceAlreadyExistsException.
func (s *service) createLogGroup(ctx context.Context, in *sdk.CreateLogGroupInput) (*sdk.CreateLogGroupOutput, error) {
	name, err := required("logGroupName", in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if in.KmsKeyId != nil {
		return nil, model.Errorf(model.Invalid, invalidParameter, "kmsKeyId is not supported here: log events are stored unencrypted")
	}
	if aws.ToBool(in.DeletionProtectionEnabled) {
		return nil, model.Errorf(model.Invalid, invalidParameter, "deletionProtectionEnabled is not supported here")
	}
	var c wire.Checks
	c.OneOf("logGroupClass", string(in.LogGroupClass), string(types.LogGroupClassStandard), string(types.LogGroupClassInfrequentAccess), string(types.LogGroupClassDelivery))
	if err := c.Err(invalidParameter); err != nil {
		return nil, err
	}
	err = s.logs.CreateGroup(ctx, logs.Group{Name: name, Class: string(in.LogGroupClass), Tags: in.Tags})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateLogGroupOutput{}, nil
}

// deleteLogGroup: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) deleteLogGroup(ctx context.Context, in *sdk.DeleteLogGroupInput) (*sdk.DeleteLogGroupOutput, error) {
	name, err := required("logGroupName", in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if err := s.logs.DeleteGroup(ctx, name); err != nil {
		return nil, err
	}
	return &sdk.DeleteLogGroupOutput{}, nil
}

// describeLogGroups: code InvalidParameterException.
func (s *service) describeLogGroups(_ context.Context, in *sdk.DescribeLogGroupsInput) (*sdk.DescribeLogGroupsOutput, error) {
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, model.Errorf(model.Invalid, invalidParameter, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	var c wire.Checks
	limit := c.Range("limit", in.Limit, 1, 50, 50)
	if err := c.Err(invalidParameter); err != nil {
		return nil, err
	}
	named, err := identified(in.LogGroupIdentifiers)
	if err != nil {
		return nil, err
	}
	var groups []logs.Group
	for _, g := range s.logs.Groups(aws.ToString(in.LogGroupNamePrefix)) {
		if (named == nil || named[g.Name]) && contains(g.Name, in.LogGroupNamePattern) && (in.LogGroupClass == "" || g.Class == string(in.LogGroupClass)) {
			groups = append(groups, g)
		}
	}
	groups, next, ok := wire.Page(groups, func(g logs.Group) string { return g.Name }, aws.ToString(in.NextToken), int(limit))
	if !ok {
		return nil, model.Errorf(model.Invalid, invalidParameter, "The specified nextToken is invalid.")
	}
	out := &sdk.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}, NextToken: optional(next)}
	for _, g := range groups {
		out.LogGroups = append(out.LogGroups, s.logGroup(g))
	}
	return out, nil
}

// identified returns the names behind identifiers; nil when there are none.
func identified(identifiers []string) (map[string]bool, error) {
	if len(identifiers) == 0 {
		return nil, nil
	}
	names := map[string]bool{}
	for _, id := range identifiers {
		name, err := groupName(nil, &id)
		if err != nil {
			return nil, err
		}
		names[name] = true
	}
	return names, nil
}

// contains reports whether a pattern, which is compared without regard to case,
// occurs in a name.
func contains(name string, pattern *string) bool {
	return pattern == nil || strings.Contains(strings.ToLower(name), strings.ToLower(*pattern))
}

func (s *service) logGroup(g logs.Group) types.LogGroup {
	out := types.LogGroup{
		Arn: aws.String(g.ARN + ":*"), LogGroupArn: aws.String(g.ARN), LogGroupName: aws.String(g.Name),
		CreationTime: aws.Int64(g.CreatedAt.UnixMilli()), LogGroupClass: types.LogGroupClass(g.Class),
		MetricFilterCount: aws.Int32(0), StoredBytes: aws.Int64(s.logs.StoredBytes(g.Name)),
		DeletionProtectionEnabled: aws.Bool(false),
	}
	if g.RetentionDays > 0 {
		out.RetentionInDays = aws.Int32(int32(min(g.RetentionDays, math.MaxInt32)))
	}
	return out
}

// putRetentionPolicy: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) putRetentionPolicy(ctx context.Context, in *sdk.PutRetentionPolicyInput) (*sdk.PutRetentionPolicyOutput, error) {
	name, err := required("logGroupName", in.LogGroupName)
	if err != nil {
		return nil, err
	}
	var c wire.Checks
	c.Required("retentionInDays", in.RetentionInDays != nil)
	days := c.Range("retentionInDays", in.RetentionInDays, 1, math.MaxInt32, 1)
	if err := c.Err(invalidParameter); err != nil {
		return nil, err
	}
	if err := s.logs.SetRetention(ctx, name, int(days)); err != nil {
		return nil, err
	}
	return &sdk.PutRetentionPolicyOutput{}, nil
}

// deleteRetentionPolicy: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) deleteRetentionPolicy(ctx context.Context, in *sdk.DeleteRetentionPolicyInput) (*sdk.DeleteRetentionPolicyOutput, error) {
	name, err := required("logGroupName", in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if err := s.logs.SetRetention(ctx, name, 0); err != nil {
		return nil, err
	}
	return &sdk.DeleteRetentionPolicyOutput{}, nil
}
