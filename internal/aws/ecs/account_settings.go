package ecs

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// accountSetting is an account setting with its default.
type accountSetting struct {
	name   types.SettingName
	value  string
	others []string // values it may also have
}

// accountDefaults returns the account settings, by name. They are kept and listed;
// none changes what the server does.
func accountDefaults() []accountSetting {
	return []accountSetting{
		{types.SettingNameAwsvpcTrunking, "disabled", []string{"enabled"}},
		{types.SettingNameContainerInsights, "disabled", []string{"enabled", "enhanced"}},
		{types.SettingNameContainerInstanceLongArnFormat, "enabled", nil},
		{types.SettingNameDefaultLogDriverMode, "non-blocking", []string{"blocking"}},
		{types.SettingNameFargateFipsMode, "disabled", []string{"enabled"}},
		{types.SettingNameFargateTaskRetirementWaitPeriod, "7", []string{"0", "14"}},
		{types.SettingNameServiceLongArnFormat, "enabled", nil},
		{types.SettingNameTagResourceAuthorization, "on", []string{"off"}},
		{types.SettingNameTaskLongArnFormat, "enabled", nil},
	}
}

func (s *service) setting(name types.SettingName, value string) types.Setting {
	return types.Setting{Name: name, Value: aws.String(value), Type: types.SettingTypeUser, PrincipalArn: aws.String("arn:aws:iam::" + s.place.Account + ":root")}
}

// listAccountSettings: codes InvalidParameterException.
func (s *service) listAccountSettings(_ context.Context, in *ecs.ListAccountSettingsInput) (*ecs.ListAccountSettingsOutput, error) {
	out := &ecs.ListAccountSettingsOutput{Settings: []types.Setting{}}
	for _, d := range accountDefaults() {
		value, set := s.ecs.Setting(string(d.name))
		if !set {
			value = d.value
		}
		wanted := (in.Name == "" || in.Name == d.name) && (in.Value == nil || *in.Value == value)
		if wanted && (set || in.EffectiveSettings) {
			out.Settings = append(out.Settings, s.setting(d.name, value))
		}
	}
	return out, nil
}

func (s *service) putSetting(ctx context.Context, name types.SettingName, value string) (*types.Setting, error) {
	for _, d := range accountDefaults() {
		if d.name != name {
			continue
		}
		if value != d.value && !slices.Contains(d.others, value) {
			return nil, invalid("Invalid value for setting %s: %s", name, value)
		}
		if err := s.ecs.PutSetting(ctx, string(name), value); err != nil {
			return nil, err
		}
		set := s.setting(name, value)
		return &set, nil
	}
	return nil, invalid("Invalid setting name: %s", name)
}

// putAccountSetting: codes InvalidParameterException.
func (s *service) putAccountSetting(ctx context.Context, in *ecs.PutAccountSettingInput) (*ecs.PutAccountSettingOutput, error) {
	set, err := s.putSetting(ctx, in.Name, aws.ToString(in.Value))
	if err != nil {
		return nil, err
	}
	return &ecs.PutAccountSettingOutput{Setting: set}, nil
}

// putAccountSettingDefault: codes InvalidParameterException. There is one
// principal, so the default is the setting.
func (s *service) putAccountSettingDefault(ctx context.Context, in *ecs.PutAccountSettingDefaultInput) (*ecs.PutAccountSettingDefaultOutput, error) {
	set, err := s.putSetting(ctx, in.Name, aws.ToString(in.Value))
	if err != nil {
		return nil, err
	}
	return &ecs.PutAccountSettingDefaultOutput{Setting: set}, nil
}

// deleteAccountSetting puts the default back: codes InvalidParameterException.
func (s *service) deleteAccountSetting(ctx context.Context, in *ecs.DeleteAccountSettingInput) (*ecs.DeleteAccountSettingOutput, error) {
	for _, d := range accountDefaults() {
		if d.name != in.Name {
			continue
		}
		if err := s.ecs.DropSetting(ctx, string(d.name)); err != nil {
			return nil, err
		}
		set := s.setting(d.name, d.value)
		return &ecs.DeleteAccountSettingOutput{Setting: &set}, nil
	}
	return nil, invalid("Invalid setting name: %s", in.Name)
}
