#!/usr/bin/env bash
# What the service did and why.
set -euo pipefail
target=(--service-namespace ecs --resource-id service/workshop/app)

aws ecs describe-services --cluster workshop --services app \
	--query 'services[0].{desired: desiredCount, running: runningCount, events: events[:8].message}'
aws application-autoscaling describe-scaling-activities "${target[@]}" --include-not-scaled-activities \
	--query 'ScalingActivities[:5].[StartTime, StatusCode, Description, Cause]' --output text
neargate explain app --cluster workshop -n 5
