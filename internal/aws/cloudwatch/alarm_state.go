package cloudwatch

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// setAlarmState: codes ValidationError, InvalidFormatFault, ResourceNotFound.
func (s *service) setAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	var c wire.Checks
	name := c.Text("alarmName", in.AlarmName, 1, 255)
	c.Required("stateValue", in.StateValue != "")
	c.OneOf("stateValue", string(in.StateValue), "INSUFFICIENT_DATA", "ALARM", "OK")
	reason := c.Text("stateReason", in.StateReason, 0, 1023)
	data := c.OptionalText("stateReasonData", in.StateReasonData, 0, 4000)
	if err := c.Err(codeValidation); err != nil {
		return nil, err
	}
	if data != "" && !json.Valid([]byte(data)) {
		return nil, model.Errorf(model.Invalid, "InvalidFormatFault", "StateReasonData was not valid JSON")
	}
	if err := s.alarms.SetAlarmState(ctx, name, string(in.StateValue), reason, data); err != nil {
		return nil, err
	}
	return &cloudwatch.SetAlarmStateOutput{}, nil
}

// deleteAlarms: codes ValidationError, ResourceNotFound. Alarms that are there
// are deleted even when others are not.
func (s *service) deleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	if err := checkNames(in.AlarmNames); err != nil {
		return nil, err
	}
	if err := s.alarms.DeleteAlarms(ctx, in.AlarmNames); err != nil {
		return nil, err
	}
	return &cloudwatch.DeleteAlarmsOutput{}, nil
}

// enableAlarmActions: code ValidationError. Unknown names are no error.
func (s *service) enableAlarmActions(ctx context.Context, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	if err := checkNames(in.AlarmNames); err != nil {
		return nil, err
	}
	return &cloudwatch.EnableAlarmActionsOutput{}, s.alarms.EnableActions(ctx, in.AlarmNames, true)
}

// disableAlarmActions: as enableAlarmActions.
func (s *service) disableAlarmActions(ctx context.Context, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	if err := checkNames(in.AlarmNames); err != nil {
		return nil, err
	}
	return &cloudwatch.DisableAlarmActionsOutput{}, s.alarms.EnableActions(ctx, in.AlarmNames, false)
}

func checkNames(names []string) error {
	var c wire.Checks
	c.Required("alarmNames", names != nil)
	if len(names) > maxNames {
		c.Fail("alarmNames", "'[...]'", "Member must have length less than or equal to %d", maxNames)
	}
	for _, name := range names {
		c.Text("alarmNames.member", aws.String(name), 1, 255)
	}
	return c.Err(codeValidation)
}
