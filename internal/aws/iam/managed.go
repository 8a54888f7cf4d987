package iam

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"
)

// managedPolicies are those of AWS's managed policies that stacks of ECS name:
// the path and name in their ARN, their version, and their statements. A policy
// that is long at AWS has the statements of which it consists here in short;
// nothing is enforced by them.
func managedPolicies() []managed {
	const readECR = `"ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:BatchGetImage"`
	return []managed{
		{"AdministratorAccess", "v1", allow(`"*"`)},
		{"PowerUserAccess", "v6", `{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"}`},
		{"ReadOnlyAccess", "v1", allow(`"*:Describe*","*:Get*","*:List*"`)},
		{"SecretsManagerReadWrite", "v5", allow(`"secretsmanager:*"`)},
		{"AmazonSSMReadOnlyAccess", "v1", allow(`"ssm:Describe*","ssm:Get*","ssm:List*"`)},
		{"AmazonSSMFullAccess", "v4", allow(`"cloudwatch:PutMetricData","ds:CreateComputer","ds:DescribeDirectories","ec2:DescribeInstanceStatus","logs:*","ssm:*","ec2messages:*"`)},
		{"AmazonSSMManagedInstanceCore", "v2", allow(`"ssm:DescribeAssociation","ssm:GetDeployablePatchSnapshotForInstance","ssm:GetDocument","ssm:DescribeDocument","ssm:GetManifest",`+
			`"ssm:GetParameter","ssm:GetParameters","ssm:ListAssociations","ssm:ListInstanceAssociations","ssm:PutInventory","ssm:PutComplianceItems","ssm:PutConfigurePackageResult",`+
			`"ssm:UpdateAssociationStatus","ssm:UpdateInstanceAssociationStatus","ssm:UpdateInstanceInformation"`) + "," +
			allow(`"ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"`) + "," +
			allow(`"ec2messages:AcknowledgeMessage","ec2messages:DeleteMessage","ec2messages:FailMessage","ec2messages:GetEndpoint","ec2messages:GetMessages","ec2messages:SendReply"`)},
		{"CloudWatchAgentServerPolicy", "v3", allow(`"cloudwatch:PutMetricData","ec2:DescribeVolumes","ec2:DescribeTags","logs:PutLogEvents","logs:PutRetentionPolicy",` +
			`"logs:DescribeLogStreams","logs:DescribeLogGroups","logs:CreateLogStream","logs:CreateLogGroup"`)},
		{"CloudWatchFullAccess", "v4", allow(`"autoscaling:Describe*","cloudwatch:*","logs:*","sns:*"`)},
		{"CloudWatchLogsFullAccess", "v2", allow(`"logs:*","cloudwatch:GenerateQuery"`)},
		{"AWSXRayDaemonWriteAccess", "v2", allow(`"xray:PutTraceSegments","xray:PutTelemetryRecords","xray:GetSamplingRules","xray:GetSamplingTargets","xray:GetSamplingStatisticSummaries"`)},
		{"AmazonEC2ContainerRegistryReadOnly", "v3", allow(readECR + `,"ecr:GetRepositoryPolicy","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:GetLifecyclePolicy",` +
			`"ecr:GetLifecyclePolicyPreview","ecr:ListTagsForResource","ecr:DescribeImageScanFindings"`)},
		{"AmazonEC2ContainerRegistryPullOnly", "v1", allow(`"ecr:GetAuthorizationToken","ecr:BatchImportUpstreamImage","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"`)},
		{"AmazonEC2ContainerRegistryPowerUser", "v3", allow(readECR + `,"ecr:GetRepositoryPolicy","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:GetLifecyclePolicy",` +
			`"ecr:GetLifecyclePolicyPreview","ecr:ListTagsForResource","ecr:DescribeImageScanFindings","ecr:InitiateLayerUpload","ecr:UploadLayerPart","ecr:CompleteLayerUpload","ecr:PutImage"`)},
		{"AmazonEC2ContainerRegistryFullAccess", "v4", allow(`"ecr:*","cloudtrail:LookupEvents"`)},
		{"AmazonECS_FullAccess", "v20", allow(`"application-autoscaling:*","autoscaling:*","cloudwatch:*","codedeploy:*","ec2:*","ecs:*","elasticloadbalancing:*","events:*","iam:List*","iam:PassRole",` +
			`"lambda:ListFunctions","logs:*","route53:*","servicediscovery:*","sns:ListTopics"`)},
		{"AmazonEC2ReadOnlyAccess", "v2", allow(`"ec2:Describe*","elasticloadbalancing:Describe*","cloudwatch:ListMetrics","cloudwatch:GetMetricStatistics","cloudwatch:Describe*","autoscaling:Describe*"`)},
		{"AmazonEC2FullAccess", "v5", allow(`"ec2:*","elasticloadbalancing:*","cloudwatch:*","autoscaling:*","iam:CreateServiceLinkedRole"`)},
		{"AmazonVPCFullAccess", "v11", allow(`"ec2:*"`)},
		{"ElasticLoadBalancingFullAccess", "v8", allow(`"elasticloadbalancing:*","ec2:Describe*","iam:CreateServiceLinkedRole"`)},
		{"IAMFullAccess", "v2", allow(`"iam:*","organizations:DescribeAccount","organizations:ListParents","organizations:ListPolicies"`)},
		{"IAMReadOnlyAccess", "v4", allow(`"iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"`)},
		{"AmazonS3FullAccess", "v2", allow(`"s3:*","s3-object-lambda:*"`)},
		{"AmazonS3ReadOnlyAccess", "v3", allow(`"s3:Get*","s3:List*","s3:Describe*","s3-object-lambda:Get*","s3-object-lambda:List*"`)},
		{"AmazonDynamoDBFullAccess", "v15", allow(`"dynamodb:*","dax:*"`)},
		{"AmazonDynamoDBReadOnlyAccess", "v14", allow(`"dynamodb:BatchGetItem","dynamodb:Describe*","dynamodb:List*","dynamodb:GetItem","dynamodb:Query","dynamodb:Scan"`)},
		{"AmazonSQSFullAccess", "v1", allow(`"sqs:*"`)},
		{"AmazonSNSFullAccess", "v1", allow(`"sns:*"`)},
		{"AmazonElasticFileSystemClientReadWriteAccess", "v1", allow(`"elasticfilesystem:ClientMount","elasticfilesystem:ClientWrite","elasticfilesystem:DescribeMountTargets"`)},
		{"AmazonElasticFileSystemFullAccess", "v8", allow(`"elasticfilesystem:*","ec2:Describe*","ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface"`)},
		{"service-role/AmazonECSTaskExecutionRolePolicy", "v1", allow(readECR + `,"logs:CreateLogStream","logs:PutLogEvents"`)},
		{"service-role/AmazonEC2ContainerServiceRole", "v2", allow(`"ec2:AuthorizeSecurityGroupIngress","ec2:Describe*","elasticloadbalancing:DeregisterInstancesFromLoadBalancer",` +
			`"elasticloadbalancing:DeregisterTargets","elasticloadbalancing:Describe*","elasticloadbalancing:RegisterInstancesWithLoadBalancer","elasticloadbalancing:RegisterTargets"`)},
		{"service-role/AmazonEC2ContainerServiceforEC2Role", "v7", allow(`"ec2:DescribeTags","ecs:CreateCluster","ecs:DeregisterContainerInstance","ecs:DiscoverPollEndpoint","ecs:Poll",` +
			`"ecs:RegisterContainerInstance","ecs:StartTelemetrySession","ecs:UpdateContainerInstancesState","ecs:Submit*",` + readECR + `,"logs:CreateLogStream","logs:PutLogEvents"`)},
		{"service-role/AmazonEC2ContainerServiceAutoscaleRole", "v2", allow(`"ecs:DescribeServices","ecs:UpdateService","cloudwatch:DescribeAlarms","cloudwatch:PutMetricAlarm"`)},
		{"service-role/AmazonEC2ContainerServiceEventsRole", "v2", allow(`"ecs:RunTask","iam:PassRole","ecs:TagResource"`)},
		{"service-role/AmazonECSInfrastructureRolePolicyForVolumes", "v2", allow(`"ec2:CreateVolume","ec2:AttachVolume","ec2:DetachVolume","ec2:DeleteVolume","ec2:Describe*"`)},
		{"service-role/AmazonECSInfrastructureRolePolicyForLoadBalancers", "v1", allow(`"elasticloadbalancing:Describe*","elasticloadbalancing:ModifyRule","elasticloadbalancing:ModifyListener",` +
			`"elasticloadbalancing:RegisterTargets","elasticloadbalancing:DeregisterTargets"`)},
		{"AmazonECSInfrastructureRolePolicyForLoadBalancers", "v1", allow(`"elasticloadbalancing:Describe*","elasticloadbalancing:ModifyRule","elasticloadbalancing:ModifyListener",` +
			`"elasticloadbalancing:RegisterTargets","elasticloadbalancing:DeregisterTargets"`)},
		{"service-role/AWSLambdaBasicExecutionRole", "v1", allow(`"logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"`)},
		{"service-role/AWSCodeDeployRoleForECS", "v3", allow(`"ecs:DescribeServices","ecs:CreateTaskSet","ecs:UpdateServicePrimaryTaskSet","ecs:DeleteTaskSet","elasticloadbalancing:Describe*",` +
			`"elasticloadbalancing:ModifyListener","elasticloadbalancing:ModifyRule","lambda:InvokeFunction","cloudwatch:DescribeAlarms","sns:Publish","s3:GetObject","s3:GetObjectVersion"`)},
		{"AWSCodeDeployRoleForECS", "v3", allow(`"ecs:DescribeServices","ecs:CreateTaskSet","ecs:UpdateServicePrimaryTaskSet","ecs:DeleteTaskSet","elasticloadbalancing:Describe*",` +
			`"elasticloadbalancing:ModifyListener","elasticloadbalancing:ModifyRule","lambda:InvokeFunction","cloudwatch:DescribeAlarms","sns:Publish","s3:GetObject","s3:GetObjectVersion"`)},
		{"aws-service-role/AmazonECSServiceRolePolicy", "v13", allow(`"ec2:*NetworkInterface*","ec2:Describe*","elasticloadbalancing:*","route53:*","servicediscovery:*","autoscaling:*","cloudwatch:*","logs:*"`)},
		{"aws-service-role/AWSApplicationAutoscalingECSServicePolicy", "v1", allow(`"ecs:DescribeServices","ecs:UpdateService","cloudwatch:PutMetricAlarm","cloudwatch:DescribeAlarms","cloudwatch:DeleteAlarms"`)},
		{"aws-service-role/AWSElasticLoadBalancingServiceRolePolicy", "v8", allow(`"ec2:*","elasticloadbalancing:*"`)},
	}
}

// managed is a policy of AWS's own.
type managed struct {
	name       string // with its path: "service-role/NAME"
	version    string
	statements string
}

func allow(actions string) string {
	return `{"Effect":"Allow","Action":[` + actions + `],"Resource":"*"}`
}

// managedPolicy returns one of AWS's policies as one of the account's is kept.
func managedPolicy(arn string) (policy, bool) {
	name, ok := strings.CutPrefix(arn, awsPolicies)
	if !ok {
		return policy{}, false
	}
	for _, m := range managedPolicies() {
		if m.name == name {
			return m.policy(), true
		}
	}
	return policy{}, false
}

func (m managed) policy() policy {
	sum := sha256.Sum256([]byte(m.name))
	made := time.Date(2015, 2, 6, 18, 40, 0, 0, time.UTC)
	slash := strings.LastIndexByte(m.name, '/') + 1
	return policy{
		ARN: awsPolicies + m.name, Name: m.name[slash:], Path: "/" + m.name[:slash], ID: "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17],
		CreatedAt: made, Default: m.version,
		Versions: []policyVersion{{m.version, `{"Version":"2012-10-17","Statement":[` + m.statements + `]}`, made}},
	}
}
