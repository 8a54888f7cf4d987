package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// defaultAttemptPeriod is in seconds. [API_ContainerRestartPolicy].
const defaultAttemptPeriod = 300

// readRestart reads a restart policy; nil is none, or one that is off.
func readRestart(in *types.ContainerRestartPolicy) *model.RestartPolicy {
	if in == nil || !aws.ToBool(in.Enabled) {
		return nil
	}
	out := &model.RestartPolicy{AttemptPeriod: *seconds(new(deref(in.RestartAttemptPeriod, defaultAttemptPeriod)))}
	for _, code := range in.IgnoredExitCodes {
		out.IgnoredExitCodes = append(out.IgnoredExitCodes, int(code))
	}
	return out
}
