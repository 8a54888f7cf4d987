#!/usr/bin/env bash
# The image as a service of two tasks behind a load balancer.
set -euo pipefail
port=${PORT:-8000}

uri=$(aws ecr describe-repositories --repository-names app --query 'repositories[0].repositoryUri' --output text)
read -r -a subnets < <(aws ec2 describe-subnets --query 'Subnets[].SubnetId' --output text)
vpc=$(aws ec2 describe-vpcs --query 'Vpcs[0].VpcId' --output text)

aws ecs create-cluster --cluster-name workshop >/dev/null
aws logs create-log-group --log-group-name /ecs/app
aws ecs register-task-definition --family app --requires-compatibilities FARGATE \
	--network-mode awsvpc --cpu 256 --memory 512 --container-definitions "[{
		\"name\": \"app\", \"image\": \"$uri:latest\", \"portMappings\": [{\"containerPort\": 8080}],
		\"logConfiguration\": {\"logDriver\": \"awslogs\", \"options\": {
			\"awslogs-group\": \"/ecs/app\", \"awslogs-region\": \"$AWS_REGION\", \"awslogs-stream-prefix\": \"app\"}}
	}]" >/dev/null

targets=$(aws elbv2 create-target-group --name app --protocol HTTP --port 8080 --target-type ip --vpc-id "$vpc" \
	--health-check-path / --query 'TargetGroups[0].TargetGroupArn' --output text)
balancer=$(aws elbv2 create-load-balancer --name app --subnets "${subnets[@]}" \
	--query 'LoadBalancers[0].LoadBalancerArn' --output text)
aws elbv2 create-listener --load-balancer-arn "$balancer" --protocol HTTP --port "$port" \
	--default-actions "Type=forward,TargetGroupArn=$targets" >/dev/null

network="awsvpcConfiguration={subnets=[$(IFS=,; echo "${subnets[*]}")]}"
aws ecs create-service --cluster workshop --service-name app --task-definition app --desired-count 2 \
	--launch-type FARGATE --network-configuration "$network" \
	--load-balancers "targetGroupArn=$targets,containerName=app,containerPort=8080" >/dev/null
aws ecs wait services-stable --cluster workshop --services app

echo "http://$(aws elbv2 describe-load-balancers --names app --query 'LoadBalancers[0].DNSName' --output text):$port/"
