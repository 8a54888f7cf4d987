package ecs

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// readMonitoring reads how finely a service's metrics are published. They are
// kept by the second in any case; the setting is what high-resolution scaling
// policies ask for. [API_MonitoringConfiguration].
func readMonitoring(in *types.MonitoringConfiguration) ([]model.MetricResolution, error) {
	if in == nil {
		return nil, nil
	}
	var out []model.MetricResolution
	seen := map[string]bool{}
	for _, c := range in.MetricConfigurations {
		seconds := aws.ToInt32(c.ResolutionSeconds)
		switch {
		case len(c.MetricNames) == 0:
			return nil, invalid("metricNames can not be empty in a metric configuration.")
		case seconds != 20 && seconds != 60:
			return nil, invalid("Invalid resolutionSeconds %d in a metric configuration. Valid values are 20 and 60.", seconds)
		}
		for _, name := range c.MetricNames {
			switch {
			case name != "CPUUtilization" && name != "MemoryUtilization":
				return nil, invalid("Invalid metric name %s in a metric configuration. Valid values are CPUUtilization and MemoryUtilization.", name)
			case seen[name]:
				return nil, invalid("The metric %s is in more than one metric configuration.", name)
			}
			seen[name] = true
		}
		out = append(out, model.MetricResolution{Metrics: c.MetricNames, Resolution: time.Duration(seconds) * time.Second})
	}
	return out, nil
}

// monitoringOf gives the setting back; nil when there is none.
func monitoringOf(all []model.MetricResolution) *types.MonitoringConfiguration {
	if len(all) == 0 {
		return nil
	}
	out := &types.MonitoringConfiguration{}
	for _, m := range all {
		out.MetricConfigurations = append(out.MetricConfigurations, types.MetricConfiguration{
			MetricNames: m.Metrics, ResolutionSeconds: aws.Int32(int32(m.Resolution / time.Second)),
		})
	}
	return out
}
