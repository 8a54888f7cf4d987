package app_test

import (
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"neargate/internal/app"
	"neargate/internal/runtime/fake"
)

func serveFake(t *testing.T) *server {
	t.Helper()
	s := serve(t, t.TempDir()+"/data", machine{fake.New(fake.Config{Network: netip.MustParsePrefix("127.202.0.0/16")})})
	t.Cleanup(func() { s.stop((*app.Server).Destroy) })
	return s
}

// TestWhatStacksNameIsLookedUp names what there is not, and what there is in
// another VPC; each is refused in AWS's words.
func TestWhatStacksNameIsLookedUp(t *testing.T) {
	s, ctx := serveFake(t), t.Context()
	vpc := created(t, s.ec2("CreateVpc&CidrBlock=10.9.0.0/16"), "vpcId")
	foreign := created(t, s.ec2("CreateSecurityGroup&GroupName=g&GroupDescription=g&VpcId="+vpc), "groupId")
	own, subnets := s.network.SecurityGroups[:1], s.network.Subnets
	must(s.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))(t)
	must(s.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))(t)
	must(s.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("web"), Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: ecstypes.NetworkModeAwsvpc,
		ContainerDefinitions: []ecstypes.ContainerDefinition{{Name: aws.String("app"), Image: aws.String("nginx")}},
	}))(t)
	lb := must(s.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("mine"), Subnets: subnets, SecurityGroups: own}))(t).LoadBalancers[0]

	far := must(s.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("far"), Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, TargetType: elbtypes.TargetTypeEnumIp, VpcId: &vpc,
	}))(t).TargetGroups[0].TargetGroupArn
	closed := []string{
		created(t, s.ec2("CreateSubnet&CidrBlock=10.9.1.0/24&AvailabilityZone="+s.access.Region+"a&VpcId="+vpc), "subnetId"),
		created(t, s.ec2("CreateSubnet&CidrBlock=10.9.2.0/24&AvailabilityZone="+s.access.Region+"b&VpcId="+vpc), "subnetId"),
	}

	service := func(subnets, groups []string) error {
		_, err := s.ecs.CreateService(ctx, &ecs.CreateServiceInput{
			ServiceName: aws.String("web"), TaskDefinition: aws.String("web"), DesiredCount: aws.Int32(1), LaunchType: ecstypes.LaunchTypeFargate,
			NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: subnets, SecurityGroups: groups}},
		})
		return err
	}
	balancer := func(groups ...string) error {
		_, err := s.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("other"), Subnets: subnets, SecurityGroups: groups})
		return err
	}
	attach := func(policy string) error {
		_, err := s.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: &policy})
		return err
	}
	for name, row := range map[string]struct {
		err        error
		code, says string
	}{
		"policy":                  {attach("arn:aws:iam::000000000000:policy/none"), "NoSuchEntity", "does not exist"},
		"AWS's policy":            {attach("arn:aws:iam::aws:policy/None"), "NoSuchEntity", "does not exist"},
		"service's subnet":        {service([]string{"subnet-0"}, own), "InvalidParameterException", "The subnet ID 'subnet-0' does not exist"},
		"service's group":         {service(subnets, []string{"sg-0"}), "InvalidParameterException", "The security group 'sg-0' does not exist"},
		"service's other VPC":     {service(subnets, []string{own[0], foreign}), "InvalidParameterException", "Security group " + foreign + " does not appear to belong to the same VPC as the input subnets."},
		"balancer's group":        {balancer("sg-0"), "InvalidSecurityGroup", "'sg-0' does not exist"},
		"balancer's other VPC":    {balancer(foreign), "InvalidConfigurationRequest", "One or more security groups are invalid"},
		"balancer's changed ones": {second(s.elb.SetSecurityGroups(ctx, &elb.SetSecurityGroupsInput{LoadBalancerArn: lb.LoadBalancerArn, SecurityGroups: []string{foreign}})), "InvalidConfigurationRequest", "One or more security groups are invalid"},
		"target group's VPC": {second(s.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: aws.String("g"), Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, TargetType: elbtypes.TargetTypeEnumIp, VpcId: aws.String("vpc-0"),
		})), "ValidationError", "vpc-0"},
		"listener's other VPC": {second(s.elb.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80),
			DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: far}},
		})), "InvalidConfigurationRequest", "Target group '" + *far + "' is in a different VPC than load balancer '" + *lb.LoadBalancerArn + "'"},
		"no way to the internet": {
			second(s.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("closed"), Subnets: closed})),
			"InvalidSubnet", "VPC " + vpc + " has no internet gateway",
		},
	} {
		t.Run(name, func(t *testing.T) {
			fault, ok := errors.AsType[smithy.APIError](row.err)
			if !ok || fault.ErrorCode() != row.code || !strings.Contains(fault.ErrorMessage(), row.says) {
				t.Errorf("got %v, want %s that says %q", row.err, row.code, row.says)
			}
		})
	}
	left := must(s.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{}))(t).LoadBalancers
	if len(left) != 1 || left[0].SecurityGroups[0] != own[0] {
		t.Errorf("what was refused has changed the load balancers: %+v", left)
	}
}

// TestOtherRegionIsRefused signs calls of every service that keeps things by
// region for another one.
func TestOtherRegionIsRefused(t *testing.T) {
	s, ctx := serveFake(t), t.Context()
	cfg := aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(s.access.Endpoint), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(s.access.AccessKey, s.access.SecretKey, ""),
	}
	for name, err := range map[string]error{
		"ecs":              second(ecs.NewFromConfig(cfg).ListClusters(ctx, &ecs.ListClustersInput{})),
		"efs":              second(efs.NewFromConfig(cfg).DescribeFileSystems(ctx, &efs.DescribeFileSystemsInput{})),
		"elbv2":            second(elb.NewFromConfig(cfg).DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})),
		"s3":               second(s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).ListBuckets(ctx, &s3.ListBucketsInput{})),
		"secretsmanager":   second(secretsmanager.NewFromConfig(cfg).ListSecrets(ctx, &secretsmanager.ListSecretsInput{})),
		"servicediscovery": second(servicediscovery.NewFromConfig(cfg).ListNamespaces(ctx, &servicediscovery.ListNamespacesInput{})),
		"ssm":              second(ssm.NewFromConfig(cfg).DescribeParameters(ctx, &ssm.DescribeParametersInput{})),
	} {
		t.Run(name, func(t *testing.T) {
			fault, ok := errors.AsType[smithy.APIError](err)
			if !ok || !strings.Contains(fault.ErrorMessage(), "region") && !strings.Contains(fault.ErrorMessage(), s.access.Region) {
				t.Errorf("a call signed for eu-west-1 has %v, want a refusal that names the region", err)
			}
		})
	}
}

// second returns the error of a call whose answer is not wanted.
func second[V any](_ V, err error) error { return err }

// created returns the ID that an answer of EC2 has in an element.
func created(t *testing.T, answer, element string) string {
	t.Helper()
	m := regexp.MustCompile("<" + element + ">([^<]*)<").FindStringSubmatch(answer)
	if m == nil {
		t.Fatalf("no %s in %s", element, answer)
	}
	return m[1]
}
