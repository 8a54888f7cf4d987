package ecs

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

func TestCreateServiceRefuses(t *testing.T) {
	s, _ := ready(t)
	lb := func(group, container string, port int32) func(*ecs.CreateServiceInput) {
		return func(in *ecs.CreateServiceInput) {
			in.LoadBalancers = []types.LoadBalancer{{TargetGroupArn: aws.String(group), ContainerName: aws.String(container), ContainerPort: aws.Int32(port)}}
		}
	}
	tests := []struct {
		name   string
		change func(*ecs.CreateServiceInput)
		code   string
		msg    string
	}{
		{"no name", func(in *ecs.CreateServiceInput) { in.ServiceName = nil }, "InvalidParameterException", "Invalid service name"},
		{"a name with a dot", func(in *ecs.CreateServiceInput) { in.ServiceName = aws.String("a.b") }, "InvalidParameterException", "Invalid service name"},
		{"unknown cluster", func(in *ecs.CreateServiceInput) { in.Cluster = aws.String("nope") }, "ClusterNotFoundException", "Cluster not found."},
		{"unknown task definition", func(in *ecs.CreateServiceInput) { in.TaskDefinition = aws.String("nope") }, "ClientException", "TaskDefinition not found."},
		{"negative desired count", func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(-1) }, "InvalidParameterException", "DesiredCount can not be lesser than 0"},
		{"no network", func(in *ecs.CreateServiceInput) { in.NetworkConfiguration = nil }, "InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"EC2", func(in *ecs.CreateServiceInput) { in.LaunchType = types.LaunchTypeEc2 }, "UnsupportedFeatureException", "launchType EC2"},
		{"unknown platform", func(in *ecs.CreateServiceInput) { in.PlatformVersion = aws.String("9.9") }, "PlatformUnknownException", "platform"},
		{"unknown target group", lb("arn:nope", "app", 8080), "InvalidParameterException", "The target group with targetGroupArn arn:nope does not exist."},
		{"target group without a load balancer", lb(unusedGroup, "app", 8080), "InvalidParameterException", "does not have an associated load balancer."},
		{"port that is not mapped", lb(goodGroup, "app", 81), "InvalidParameterException", "The container app did not have a container port 81 defined."},
		{"container that is not there", lb(goodGroup, "web", 8080), "InvalidParameterException", "The container web does not exist in the task definition."},
		{"grace without a load balancer", func(in *ecs.CreateServiceInput) { in.HealthCheckGracePeriodSeconds = aws.Int32(5) }, "InvalidParameterException", "Health check grace period is only valid"},
		{"percentages that block", func(in *ecs.CreateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{MaximumPercent: aws.Int32(100), MinimumHealthyPercent: aws.Int32(100)}
		}, "InvalidParameterException", "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."},
		{"blue/green without an alternate target group", func(in *ecs.CreateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen}
			in.LoadBalancers = []types.LoadBalancer{{TargetGroupArn: aws.String(goodGroup), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)}}
		}, "InvalidParameterException", "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := through(t, s, "CreateService", s.createService, creation(tt.change))
			if code(err) != tt.code || !strings.Contains(err.Error(), tt.msg) {
				t.Errorf("got %v, want %s with %q", err, tt.code, tt.msg)
			}
		})
	}
	if n := len(s.ecs.Services("default")); n != 0 {
		t.Errorf("got %d services after refusals, want none", n)
	}
}

func TestCreateServiceAnswersAsAWS(t *testing.T) {
	s, _ := ready(t)
	out, err := s.createService(t.Context(), creation())
	if err != nil {
		t.Fatal(err)
	}
	svc := out.Service
	id := aws.ToString(svc.Deployments[0].Id)
	if len(id) != len("ecs-svc/")+19 {
		t.Errorf("got deployment ID %q, want ecs-svc/ and 19 digits", id)
	}
	got := map[string]any{
		"status": *svc.Status, "launchType": svc.LaunchType, "platformVersion": *svc.PlatformVersion, "deployment platform": *svc.Deployments[0].PlatformVersion,
		"family": *svc.PlatformFamily, "strategy": svc.SchedulingStrategy, "controller": svc.DeploymentController.Type, "rebalancing": svc.AvailabilityZoneRebalancing,
		"grace": *svc.HealthCheckGracePeriodSeconds, "propagate": svc.PropagateTags, "rollout": svc.Deployments[0].RolloutState,
		"reason": *svc.Deployments[0].RolloutStateReason, "running": svc.RunningCount, "max": *svc.DeploymentConfiguration.MaximumPercent,
		"min": *svc.DeploymentConfiguration.MinimumHealthyPercent, "reset": *svc.DeploymentConfiguration.DeploymentCircuitBreaker.ResetOnHealthyTask,
		"threshold": svc.DeploymentConfiguration.DeploymentCircuitBreaker.ThresholdConfiguration.Value, "public": svc.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp,
	}
	want := map[string]any{
		"status": "ACTIVE", "launchType": types.LaunchTypeFargate, "platformVersion": "LATEST", "deployment platform": "1.4.0",
		"family": "Linux", "strategy": types.SchedulingStrategyReplica, "controller": types.DeploymentControllerTypeEcs, "rebalancing": types.AvailabilityZoneRebalancingEnabled,
		"grace": int32(0), "propagate": types.PropagateTagsNone, "rollout": types.DeploymentRolloutStateInProgress,
		"reason": "ECS deployment " + id + " in progress.", "running": int32(0), "max": int32(200),
		"min": int32(100), "reset": true, "threshold": int32(50), "public": types.AssignPublicIpDisabled,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	done := stable(t, s)
	if want := "ECS deployment " + id + " completed."; *done.Deployments[0].RolloutStateReason != want {
		t.Errorf("got reason %q, want %q", *done.Deployments[0].RolloutStateReason, want)
	}
	if _, err := s.createService(t.Context(), creation()); code(err) != "InvalidParameterException" || !strings.Contains(err.Error(), "Creation of service was not idempotent.") {
		t.Errorf("created twice: got %v", err)
	}
}

func TestUpdateServiceDeploysOnlyForWhatTasksAreMadeOf(t *testing.T) {
	s, _ := ready(t)
	if _, err := s.registerTaskDefinition(t.Context(), definition(withRole)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.createService(t.Context(), creation()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.registerTaskDefinition(t.Context(), definition(withRole)); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		in      ecs.UpdateServiceInput
		deploys bool
	}{
		{"desired count", ecs.UpdateServiceInput{DesiredCount: aws.Int32(3)}, false},
		{"the same definition", ecs.UpdateServiceInput{TaskDefinition: aws.String("web:2")}, false},
		{"execute command", ecs.UpdateServiceInput{EnableExecuteCommand: aws.Bool(true)}, false},
		{"monitoring", ecs.UpdateServiceInput{Monitoring: monitoring(20, "CPUUtilization")}, true},
		{"the same monitoring", ecs.UpdateServiceInput{Monitoring: monitoring(20, "CPUUtilization")}, false},
		{"a new definition", ecs.UpdateServiceInput{TaskDefinition: aws.String("web")}, true},
		{"force", ecs.UpdateServiceInput{ForceNewDeployment: true}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := stable(t, s)
			tt.in.Service = aws.String("s")
			out, err := s.updateService(t.Context(), &tt.in)
			if err != nil {
				t.Fatal(err)
			}
			deployed := *out.Service.Deployments[0].Id != *before.Deployments[0].Id
			if deployed != tt.deploys {
				t.Errorf("deployed %v, want %v", deployed, tt.deploys)
			}
			if deployed && (len(out.Service.Deployments) != 2 || *out.Service.Deployments[1].Status != "ACTIVE") {
				t.Errorf("got %d deployments, want PRIMARY and ACTIVE", len(out.Service.Deployments))
			}
		})
	}
	stable(t, s)
}

func TestServiceDeploymentsAreListedAndDescribed(t *testing.T) {
	s, _ := ready(t)
	begin := time.Now()
	if _, err := s.createService(t.Context(), creation()); err != nil {
		t.Fatal(err)
	}
	svc := stable(t, s)
	var listed *ecs.ListServiceDeploymentsOutput
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var err error
		listed, err = s.listServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{
			Service: svc.ServiceArn, CreatedAt: &types.CreatedAt{After: aws.Time(begin)}, Status: []types.ServiceDeploymentStatus{types.ServiceDeploymentStatusSuccessful},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(listed.ServiceDeployments) > 0 {
			break
		}
	}
	if len(listed.ServiceDeployments) != 1 {
		t.Fatalf("got %d service deployments, want 1", len(listed.ServiceDeployments))
	}
	brief := listed.ServiceDeployments[0]
	number := strings.TrimPrefix(*svc.Deployments[0].Id, "ecs-svc/")
	if !strings.Contains(*brief.TargetServiceRevisionArn, number) {
		t.Errorf("revision %s does not hold deployment number %s", *brief.TargetServiceRevisionArn, number)
	}
	described, err := s.describeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*brief.ServiceDeploymentArn, "arn:nope"}})
	if err != nil || len(described.ServiceDeployments) != 1 || len(described.Failures) != 1 {
		t.Fatalf("got %+v, %v; want one deployment and one failure", described, err)
	}
	if got := described.ServiceDeployments[0]; got.Status != types.ServiceDeploymentStatusSuccessful || got.TargetServiceRevision.RunningTaskCount != 2 || got.FinishedAt == nil {
		t.Errorf("got %s with %d running, finished %v", got.Status, got.TargetServiceRevision.RunningTaskCount, got.FinishedAt)
	}
	revisions, err := s.describeServiceRevisions(t.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{*brief.TargetServiceRevisionArn}})
	if err != nil || len(revisions.ServiceRevisions) != 1 {
		t.Fatalf("got %+v, %v; want one revision", revisions, err)
	}
	if got := revisions.ServiceRevisions[0]; *got.TaskDefinition != *svc.TaskDefinition || *got.ContainerImages[0].Image != "web:1" {
		t.Errorf("got revision of %s with image %s", *got.TaskDefinition, *got.ContainerImages[0].Image)
	}
}

func TestDescribeServicesNamesWhatIsMissing(t *testing.T) {
	s, _ := ready(t)
	out, err := s.describeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"nope"}})
	if err != nil {
		t.Fatal(err)
	}
	want := s.place.ServiceARN("default", "nope")
	if len(out.Failures) != 1 || *out.Failures[0].Reason != "MISSING" || *out.Failures[0].Arn != want {
		t.Errorf("got %+v, want MISSING %s", out.Failures, want)
	}
	if _, err := s.updateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("nope")}); code(err) != "ServiceNotFoundException" {
		t.Errorf("update: got %v", err)
	}
	if _, err := s.deleteService(t.Context(), &ecs.DeleteServiceInput{Service: aws.String("nope")}); code(err) != "ServiceNotFoundException" {
		t.Errorf("delete: got %v", err)
	}
	if _, err := s.listTasks(t.Context(), &ecs.ListTasksInput{ServiceName: aws.String("nope")}); code(err) != "ServiceNotFoundException" {
		t.Errorf("list tasks: got %v", err)
	}
}

func TestListServicesPages(t *testing.T) {
	s, _ := ready(t)
	for _, name := range []string{"a", "b", "c"} {
		if _, err := s.createService(t.Context(), creation(func(in *ecs.CreateServiceInput) { in.ServiceName, in.DesiredCount = aws.String(name), aws.Int32(0) })); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	in := &ecs.ListServicesInput{MaxResults: aws.Int32(2)}
	for {
		out, err := s.listServices(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, arn := range out.ServiceArns {
			got = append(got, model.ARNTail(arn, 2))
		}
		if out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	in.NextToken = aws.String("!")
	if _, err := s.listServices(t.Context(), in); code(err) != "InvalidParameterException" {
		t.Errorf("bad token: got %v", err)
	}
}
