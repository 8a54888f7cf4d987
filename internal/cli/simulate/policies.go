package simulate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	cloudwatchsdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"neargate/internal/aws/applicationautoscaling"
	"neargate/internal/aws/cloudwatch"
	"neargate/internal/decide/policy"
	"neargate/internal/decide/schedule"
	"neargate/internal/model"
)

const maxPolicyBytes = 1 << 20

// resource is the service that policies are taken to be for when they do not say.
const resource = "service/simulated/service"

// policyFile is what one file says of one scalable target.
type policyFile struct {
	name      string
	begin     time.Time // when it is put
	policies  []model.ScalingPolicy
	scheduled []schedule.Entry
	alarms    []model.Alarm          // of step policies
	target    *model.ScalableTarget  // nil: the file does not say
	past      map[string]policy.Past // of predictive policies
}

// readPolicies reads a policy file: one or a list of PutScalingPolicy,
// PutScheduledAction, RegisterScalableTarget and PutMetricAlarm inputs as the
// AWS CLI takes them by --cli-input-json, or a bare configuration as it takes
// it by --target-tracking-scaling-policy-configuration. They are put at begin.
func readPolicies(path string, begin time.Time) (policyFile, error) {
	f := policyFile{name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), begin: begin}
	text, err := readAtMost(path, maxPolicyBytes+1)
	switch {
	case err != nil:
		return f, fmt.Errorf("read policy: %w", err)
	case len(text) > maxPolicyBytes:
		return f, fmt.Errorf("policy %s: more than %d bytes", path, maxPolicyBytes)
	}
	if err := f.read([]byte(text)); err != nil {
		return f, fmt.Errorf("policy %s: %w", path, err)
	}
	return f, nil
}

func (f *policyFile) read(text []byte) error {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	items := []json.RawMessage{text}
	if bytes.HasPrefix(text, []byte("[")) {
		items = nil
		if err := decode(text, text, &items); err != nil {
			return err
		}
	}
	for _, item := range items {
		if err := f.item(text, item); err != nil {
			return err
		}
	}
	if len(f.policies)+len(f.scheduled) == 0 {
		return errors.New("no scaling policy and no scheduled action in it")
	}
	return f.check()
}

// check refuses what AWS refuses of the policies, each and beside the others.
func (f *policyFile) check() error {
	for i, p := range f.policies {
		if err := policy.Check(p, attached(p)); err != nil {
			return err
		}
		for _, other := range f.policies[:i] {
			if other.Name == p.Name {
				return fmt.Errorf("two policies are named %s; one would replace the other", p.Name)
			}
			if err := policy.Beside(p, other); err != nil {
				return err
			}
		}
	}
	return nil
}

// item reads one input; which it is, its keys say.
func (f *policyFile) item(text, item []byte) error {
	var keys map[string]json.RawMessage
	if err := decode(text, item, &keys); err != nil {
		return err
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := keys[n]; ok {
				return true
			}
		}
		return false
	}
	in := &sdk.PutScalingPolicyInput{}
	switch {
	case has("ScheduledActionName", "ScalableTargetAction"):
		return f.scheduledItem(text, item)
	case has("MinCapacity", "MaxCapacity"):
		return f.targetItem(text, item)
	case has("AlarmName"):
		return f.alarmItem(text, item)
	case has("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration", "PredictiveScalingPolicyConfiguration"):
		if err := decode(text, item, in); err != nil {
			return err
		}
	case has("TargetValue", "PredefinedMetricSpecification", "CustomizedMetricSpecification"):
		in.TargetTrackingScalingPolicyConfiguration = &types.TargetTrackingScalingPolicyConfiguration{}
		if err := decode(text, item, in.TargetTrackingScalingPolicyConfiguration); err != nil {
			return err
		}
	case has("AdjustmentType", "StepAdjustments"):
		in.StepScalingPolicyConfiguration = &types.StepScalingPolicyConfiguration{}
		if err := decode(text, item, in.StepScalingPolicyConfiguration); err != nil {
			return err
		}
	default:
		return errors.New("neither PutScalingPolicy, PutScheduledAction, RegisterScalableTarget or PutMetricAlarm, nor a TargetTrackingScalingPolicyConfiguration or StepScalingPolicyConfiguration")
	}
	p, err := applicationautoscaling.Policy(f.complete(in), func() bool { return false })
	f.policies = append(f.policies, p)
	return err
}

// complete says what a bare configuration leaves to the options beside it.
func (f *policyFile) complete(in *sdk.PutScalingPolicyInput) *sdk.PutScalingPolicyInput {
	name := f.name
	if n := len(f.policies); n > 0 {
		name = fmt.Sprintf("%s-%d", f.name, n+1)
	}
	if in.PolicyName == nil {
		in.PolicyName = &name
	}
	ofService(&in.ServiceNamespace, &in.ResourceId, &in.ScalableDimension)
	if in.PolicyType == "" {
		switch {
		case in.TargetTrackingScalingPolicyConfiguration != nil:
			in.PolicyType = types.PolicyTypeTargetTrackingScaling
		case in.StepScalingPolicyConfiguration != nil:
			in.PolicyType = types.PolicyTypeStepScaling
		case in.PredictiveScalingPolicyConfiguration != nil:
			in.PolicyType = types.PolicyTypePredictiveScaling
		}
	}
	return in
}

// ofService takes what does not say what it is for to be for the one service.
func ofService(namespace *types.ServiceNamespace, id **string, dimension *types.ScalableDimension) {
	*namespace = cmp.Or(*namespace, types.ServiceNamespaceEcs)
	*dimension = cmp.Or(*dimension, types.ScalableDimensionECSServiceDesiredCount)
	if *id == nil {
		*id = aws.String(resource)
	}
}

func (f *policyFile) targetItem(text, item []byte) error {
	in := &sdk.RegisterScalableTargetInput{}
	if err := decode(text, item, in); err != nil {
		return err
	}
	if f.target != nil {
		return errors.New("two scalable targets in it; simulate one at a time")
	}
	ofService(&in.ServiceNamespace, &in.ResourceId, &in.ScalableDimension)
	t, err := applicationautoscaling.Target(in)
	f.target = &t
	return err
}

// alarmItem reads an alarm that step policies hang on.
func (f *policyFile) alarmItem(text, item []byte) error {
	in := &cloudwatchsdk.PutMetricAlarmInput{}
	if err := decode(text, item, in); err != nil {
		return err
	}
	al, err := cloudwatch.Alarm(in)
	f.alarms = append(f.alarms, al)
	return err
}
