#!/usr/bin/env bash
# Everything away, in the order that AWS asks for.
set -euo pipefail

aws application-autoscaling deregister-scalable-target --service-namespace ecs \
	--scalable-dimension ecs:service:DesiredCount --resource-id service/workshop/app || true
aws ecs delete-service --cluster workshop --service app --force >/dev/null
aws ecs wait services-inactive --cluster workshop --services app

balancer=$(aws elbv2 describe-load-balancers --names app --query 'LoadBalancers[0].LoadBalancerArn' --output text)
aws elbv2 delete-load-balancer --load-balancer-arn "$balancer"
targets=$(aws elbv2 describe-target-groups --names app --query 'TargetGroups[0].TargetGroupArn' --output text)
aws elbv2 delete-target-group --target-group-arn "$targets"

for definition in $(aws ecs list-task-definitions --family-prefix app --query 'taskDefinitionArns[]' --output text); do
	aws ecs deregister-task-definition --task-definition "$definition" >/dev/null
done
aws ecs delete-cluster --cluster workshop >/dev/null
aws logs delete-log-group --log-group-name /ecs/app
aws ecr delete-repository --repository-name app --force >/dev/null
