#!/usr/bin/env bash
# The policy: 2 to 20 tasks, CPU at 50 %, cooldowns of 30 s.
set -euo pipefail
target=(--service-namespace ecs --scalable-dimension ecs:service:DesiredCount --resource-id service/workshop/app)

aws application-autoscaling register-scalable-target "${target[@]}" --min-capacity 2 --max-capacity 20
aws application-autoscaling put-scaling-policy "${target[@]}" --policy-name cpu-50 --policy-type TargetTrackingScaling \
	--target-tracking-scaling-policy-configuration '{
		"TargetValue": 50, "ScaleOutCooldown": 30, "ScaleInCooldown": 30,
		"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
	}' --query 'Alarms[].AlarmName'
