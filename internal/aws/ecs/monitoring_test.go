package ecs

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func monitoring(seconds int32, metrics ...string) *types.MonitoringConfiguration {
	return &types.MonitoringConfiguration{MetricConfigurations: []types.MetricConfiguration{
		{MetricNames: metrics, ResolutionSeconds: &seconds},
	}}
}

func TestMonitoringIsOfAServiceRevision(t *testing.T) {
	s, _ := ready(t)
	read := func() *types.MonitoringConfiguration {
		t.Helper()
		svc := stable(t, s)
		list, err := s.listServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Service: svc.ServiceArn})
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.describeServiceRevisions(t.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{*list.ServiceDeployments[0].TargetServiceRevisionArn}})
		if err != nil || len(out.ServiceRevisions) != 1 {
			t.Fatalf("%+v, %v", out, err)
		}
		return out.ServiceRevisions[0].Monitoring
	}
	plain := cmpopts.IgnoreUnexported(types.MonitoringConfiguration{}, types.MetricConfiguration{})
	fine := monitoring(20, "CPUUtilization", "MemoryUtilization")
	if _, err := s.createService(t.Context(), creation(func(in *ecs.CreateServiceInput) { in.Monitoring = fine })); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fine, read(), plain); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	coarse := monitoring(60, "CPUUtilization")
	if _, err := s.updateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("s"), Monitoring: coarse}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(coarse, read(), plain); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	if _, err := s.updateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("s"), Monitoring: &types.MonitoringConfiguration{}}); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != nil {
		t.Errorf("taken away: %+v", got)
	}
}

func TestMonitoringRefuses(t *testing.T) {
	s, _ := ready(t)
	twice := monitoring(20, "CPUUtilization")
	twice.MetricConfigurations = append(twice.MetricConfigurations, monitoring(60, "CPUUtilization").MetricConfigurations...)
	for name, m := range map[string]*types.MonitoringConfiguration{
		"30 seconds":     monitoring(30, "CPUUtilization"),
		"no resolution":  {MetricConfigurations: []types.MetricConfiguration{{MetricNames: []string{"CPUUtilization"}}}},
		"another metric": monitoring(20, "Luck"),
		"no metric":      monitoring(20),
		"a metric twice": twice,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.createService(t.Context(), creation(func(in *ecs.CreateServiceInput) { in.Monitoring = m }))
			if code(err) != "InvalidParameterException" {
				t.Errorf("got %v, want InvalidParameterException", err)
			}
		})
	}
}
