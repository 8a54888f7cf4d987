package wire_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

var made = time.UnixMilli(1700000000250).UTC()

// cliServices answer with what they were given, so that the output of a
// command shows both directions.
func cliServices() []wire.Service {
	return []wire.Service{
		{SigningName: "ecs", TargetPrefix: "AmazonEC2ContainerServiceV20141113", Style: wire.LowerCamel, Operations: []wire.Operation{
			wire.Op("CreateCluster", func(_ context.Context, in *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
				if *in.ClusterName == "taken" {
					return nil, model.Errorf(model.Conflict, "ClientException", "taken & gone")
				}
				return &ecs.CreateClusterOutput{Cluster: &ecstypes.Cluster{ClusterName: in.ClusterName, Settings: in.Settings, Tags: in.Tags}}, nil
			}),
		}},
		{SigningName: "elasticloadbalancing", Version: "2015-12-01", Namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/", Operations: []wire.Operation{
			wire.Op("CreateLoadBalancer", func(_ context.Context, in *elasticloadbalancingv2.CreateLoadBalancerInput) (*elasticloadbalancingv2.CreateLoadBalancerOutput, error) {
				return &elasticloadbalancingv2.CreateLoadBalancerOutput{LoadBalancers: []elbtypes.LoadBalancer{{
					LoadBalancerName: in.Name, CreatedTime: &made, SecurityGroups: in.SecurityGroups, Scheme: in.Scheme,
				}}}, nil
			}),
		}},
		{SigningName: "monitoring", TargetPrefix: "GraniteServiceVersion20100801", Version: "2010-08-01", Namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/", Operations: []wire.Operation{
			wire.Op("GetMetricStatistics", func(_ context.Context, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
				label := *in.MetricName + " " + *in.Dimensions[0].Value + " " + in.StartTime.Format(time.RFC3339Nano)
				return &cloudwatch.GetMetricStatisticsOutput{Label: &label, Datapoints: []cwtypes.Datapoint{{
					Timestamp: &made, Average: aws.Float64(1e-7), Unit: cwtypes.StandardUnitPercent,
				}}}, nil
			}),
		}},
	}
}

// TestCommandLineClients runs commands of the AWS CLIs that are installed: JSON
// 1.1, Query, and for CloudWatch what each CLI speaks.
func TestCommandLineClients(t *testing.T) {
	if testing.Short() {
		t.Skip("needs time: each command of an AWS CLI takes half a second of CPU")
	}
	srv := serve(t, cliServices()...)
	for _, cli := range []string{"/usr/bin/aws", "/root/.pyenv/shims/aws"} {
		t.Run(cli, func(t *testing.T) {
			if _, err := os.Stat(cli); err != nil {
				t.Skipf("needs the AWS CLI at %s: %v", cli, err)
			}
			run := func(line string) string {
				args := slices.Concat(strings.Fields(line), []string{"--endpoint-url", srv.URL, "--output", "json"})
				cmd := exec.CommandContext(t.Context(), cli, args...)
				cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=x", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "HOME="+t.TempDir())
				out, _ := cmd.CombinedOutput()
				return strings.TrimSpace(string(out))
			}
			for line, want := range map[string]string{
				`ecs create-cluster --cluster-name c --settings name=containerInsights,value=enabled --tags key=a,value=ä`: `{"cluster": {"clusterName": "c",
					"activeServicesCount": 0, "pendingTasksCount": 0, "registeredContainerInstancesCount": 0, "runningTasksCount": 0,
					"settings": [{"name": "containerInsights", "value": "enabled"}], "tags": [{"key": "a", "value": "ä"}]}}`,
				`elbv2 create-load-balancer --name lb --security-groups sg-2 sg-1 --scheme internal`: `{"LoadBalancers": [{"LoadBalancerName": "lb",
					"CreatedTime": "2023-11-14T22:13:20.250000+00:00", "SecurityGroups": ["sg-2", "sg-1"], "Scheme": "internal"}]}`,
				`cloudwatch get-metric-statistics --namespace n --metric-name m --dimensions Name=a,Value=b --start-time 2023-11-14T22:13:20Z --end-time 2023-11-15T00:00:00Z --period 60 --statistics Average`: `{
					"Label": "m b 2023-11-14T22:13:20Z", "Datapoints": [{"Timestamp": "2023-11-14T22:13:20.250000+00:00", "Average": 1e-07, "Unit": "Percent"}]}`,
			} {
				if diff := cmp.Diff(parsed(t, want), parsed(t, run(line))); diff != "" {
					t.Errorf("aws %s (-want +got):\n%s", line, diff)
				}
			}
			const want = "(ClientException) when calling the CreateCluster operation: taken & gone"
			if got := run("ecs create-cluster --cluster-name taken"); !strings.Contains(got, want) {
				t.Errorf("error: %s, want %s", got, want)
			}
		})
	}
}

// parsed reads JSON, with all times told alike: the CLIs show them as text in
// two forms, or as the number that came.
func parsed(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Errorf("%v in %s", err, text)
	}
	return alike(v)
}

func alike(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = alike(v[k])
		}
	case []any:
		for i := range v {
			v[i] = alike(v[i])
		}
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at.UTC()
		}
	case float64:
		if v > 1e9 {
			return time.UnixMilli(int64(v * 1000)).UTC()
		}
	}
	return v
}
