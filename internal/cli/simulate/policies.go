package simulate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	cloudwatchsdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"neargate/internal/aws/applicationautoscaling"
	"neargate/internal/aws/cloudwatch"
	"neargate/internal/decide/policy"
	"neargate/internal/model"
)

const maxPolicyBytes = 1 << 20

// resource is the service that policies are taken to be for when they do not say.
const resource = "service/simulated/service"

// policyFile is what one file says of one scalable target.
type policyFile struct {
	name     string
	policies []model.ScalingPolicy
	alarms   []model.Alarm         // of step policies
	target   *model.ScalableTarget // nil: the file does not say
}

// readPolicies reads a policy file: one or a list of PutScalingPolicy,
// RegisterScalableTarget and PutMetricAlarm inputs as the AWS CLI takes them by
// --cli-input-json, or a bare configuration as it takes it by
// --target-tracking-scaling-policy-configuration.
func readPolicies(path string) (policyFile, error) {
	f := policyFile{name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))}
	text, err := readAtMost(path, maxPolicyBytes+1)
	switch {
	case err != nil:
		return f, fmt.Errorf("read policy: %w", err)
	case len(text) > maxPolicyBytes:
		return f, fmt.Errorf("policy %s: more than %d bytes", path, maxPolicyBytes)
	}
	if err := f.read([]byte(text)); err != nil {
		if e, ok := errors.AsType[*model.Error](err); ok {
			err = fmt.Errorf("%s: %s", e.Code, e.Msg)
		}
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
	if len(f.policies) == 0 {
		return errors.New("no scaling policy in it")
	}
	for i, p := range f.policies {
		if p.Predictive != nil {
			return fmt.Errorf("policy %s: PredictiveScaling is not simulated, as its forecasts rest on days of load before the run", p.Name)
		}
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
		return errors.New("neither PutScalingPolicy, RegisterScalableTarget or PutMetricAlarm, nor a TargetTrackingScalingPolicyConfiguration or StepScalingPolicyConfiguration")
	}
	p, err := applicationautoscaling.Policy(f.complete(in), func() bool { return false })
	f.policies = append(f.policies, p)
	return err
}

// complete says what a bare configuration leaves to the options beside it.
func (f *policyFile) complete(in *sdk.PutScalingPolicyInput) *sdk.PutScalingPolicyInput {
	name, id := f.name, resource
	if n := len(f.policies); n > 0 {
		name = fmt.Sprintf("%s-%d", f.name, n+1)
	}
	if in.PolicyName == nil {
		in.PolicyName = &name
	}
	if in.ResourceId == nil {
		in.ResourceId = &id
	}
	if in.ServiceNamespace == "" {
		in.ServiceNamespace = types.ServiceNamespaceEcs
	}
	if in.ScalableDimension == "" {
		in.ScalableDimension = types.ScalableDimensionECSServiceDesiredCount
	}
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

func (f *policyFile) targetItem(text, item []byte) error {
	in, id := &sdk.RegisterScalableTargetInput{}, resource
	if err := decode(text, item, in); err != nil {
		return err
	}
	if f.target != nil {
		return errors.New("two scalable targets in it; simulate one at a time")
	}
	if in.ResourceId == nil {
		in.ResourceId = &id
	}
	if in.ServiceNamespace == "" {
		in.ServiceNamespace = types.ServiceNamespaceEcs
	}
	if in.ScalableDimension == "" {
		in.ScalableDimension = types.ScalableDimensionECSServiceDesiredCount
	}
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

// attached is a service behind whatever target group the policy names, with
// its metrics every 20 seconds, as policies of high resolution want it.
func attached(p model.ScalingPolicy) model.Service {
	svc := model.Service{Cluster: "simulated", Name: "service", Monitoring: []model.MetricResolution{
		{Metrics: []string{"CPUUtilization", "MemoryUtilization"}, Resolution: 20 * time.Second},
	}}
	if t := p.Tracking; t != nil {
		if _, group, ok := strings.Cut(t.ResourceLabel, "/targetgroup/"); ok {
			svc.LoadBalancers = []model.ServiceLoadBalancer{{TargetGroupARN: "arn:aws:elasticloadbalancing:::targetgroup/" + group}}
		}
	}
	return svc
}

// decode reads JSON that has the fields of v and no other. item lies in text,
// for the line of an error.
func decode(text, item []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(item))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err := d.Token(); err == nil {
			return errors.New("more than one JSON value; put them in a list")
		}
		return nil
	}
	offset := d.InputOffset()
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = s.Offset
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = t.Offset
		err = fmt.Errorf("%s is a %s, want a %s", t.Field, t.Value, t.Type)
		if t.Field == "" {
			err = fmt.Errorf("a %s, want a JSON object", t.Value)
		}
	}
	if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok { // quoted, as in the file
		offset = int64(max(bytes.Index(item, []byte(field)), 0))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		offset = int64(len(item))
	}
	before := max(bytes.Index(text, item), 0) + int(min(offset, int64(len(item))))
	line := 1 + bytes.Count(text[:before], []byte("\n"))
	return fmt.Errorf("line %d: %s", line, strings.TrimPrefix(err.Error(), "json: "))
}
