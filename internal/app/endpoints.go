package app

import (
	"cmp"
	"slices"

	"neargate/internal/model"
)

// sdkNames are the services that answer at the server, by their names in
// signatures, with their names in the SDKs' environment variables.
func sdkNames() map[string]string {
	return map[string]string{
		"acm":                     "ACM",
		"application-autoscaling": "APPLICATION_AUTO_SCALING",
		"ec2":                     "EC2",
		"ecr":                     "ECR",
		"ecs":                     "ECS",
		"elasticfilesystem":       "EFS",
		"elasticloadbalancing":    "ELASTIC_LOAD_BALANCING_V2",
		"iam":                     "IAM",
		"logs":                    "CLOUDWATCH_LOGS",
		"monitoring":              "CLOUDWATCH",
		"s3":                      "S3",
		"secretsmanager":          "SECRETS_MANAGER",
		"ssm":                     "SSM",
		"servicediscovery":        "SERVICEDISCOVERY",
		"sts":                     "STS",
	}
}

// endpoints are the variables that lead an SDK to the server at a URL [SDKs and
// tools guide, "Service-specific endpoints"].
func endpoints(url string) []model.KeyValue {
	var env []model.KeyValue
	for _, name := range sdkNames() {
		env = append(env, model.KeyValue{Name: "AWS_ENDPOINT_URL_" + name, Value: url})
	}
	slices.SortFunc(env, func(a, b model.KeyValue) int { return cmp.Compare(a.Name, b.Name) })
	return env
}
