package scenario_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

var idlePeriods = flag.Int("idle-periods", 2, "how often TestFromZero waits until its service has gone to zero by itself")

// fromZero makes a service a scalable target without a minimum, which goes to zero
// after 10 s without a request.
func (c *client) fromZero(name string) {
	c.t.Helper()
	id := aws.String("service/default/" + name)
	must[*applicationautoscaling.RegisterScalableTargetOutput](c.t)(c.scaling.RegisterScalableTarget(c.t.Context(), &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: aastypes.ServiceNamespaceEcs, ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount, ResourceId: id,
		MinCapacity: aws.Int32(0), MaxCapacity: aws.Int32(4),
	}))
	must[*applicationautoscaling.PutScalingPolicyOutput](c.t)(c.scaling.PutScalingPolicy(c.t.Context(), &applicationautoscaling.PutScalingPolicyInput{
		ServiceNamespace: aastypes.ServiceNamespaceEcs, ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount, ResourceId: id,
		PolicyName: aws.String("cpu"), PolicyType: aastypes.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &aastypes.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(50), ScaleInCooldown: aws.Int32(10),
			PredefinedMetricSpecification: &aastypes.PredefinedMetricSpecification{PredefinedMetricType: aastypes.MetricTypeECSServiceAverageCPUUtilization},
		},
	}))
}

// empty sets a service's desired count to 0 and waits until its tasks are gone.
func (c *client) empty(name string) {
	c.t.Helper()
	must[*ecs.UpdateServiceOutput](c.t)(c.ecs.UpdateService(c.t.Context(), &ecs.UpdateServiceInput{Service: aws.String(name), DesiredCount: aws.Int32(0)}))
	eventually(c.t, time.Minute, name+" to have no task", func() error {
		if s := c.describe(name); s.RunningCount+s.PendingCount > 0 {
			return fmt.Errorf("%d run, %d are pending", s.RunningCount, s.PendingCount)
		}
		return nil
	})
}

// status asks once, over a connection of its own, and returns the answer's status; 0
// for none.
func status(t *testing.T, address string, body []byte) int {
	t.Helper()
	by := &http.Transport{}
	defer by.CloseIdleConnections()
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := by.RoundTrip(req)
	if err != nil {
		t.Log(err)
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// answered asks n times at once and says what the app did not answer; it takes GET
// only.
func answered(t *testing.T, address string, n int, body []byte) {
	t.Helper()
	want := http.StatusOK
	if body != nil {
		want = http.StatusMethodNotAllowed
	}
	got := make(chan int, n)
	for range n {
		go func() { got <- status(t, address, body) }()
	}
	for range n {
		if s := <-got; s != want {
			t.Errorf("answered %d", s)
		}
	}
}

// TestFromZero is a service that has no task while nobody asks for it, through all
// that may happen to it then.
func TestFromZero(t *testing.T) {
	data := t.TempDir()
	s := serve(t, data)
	c := newClient(s)
	image := c.pushApp()
	c.define("web", image, nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	tg, address := c.balance("web")
	c.service("web", "web", 0, tg)
	defer func() { destroy(t, s, c) }()
	if got := status(t, address, nil); got != http.StatusServiceUnavailable {
		t.Errorf("without a scalable target answered %d", got)
	}
	c.fromZero("web")

	t.Run("the first requests", func(t *testing.T) {
		answered(t, address, 20, nil)
	})
	t.Run("requests with bodies", func(t *testing.T) {
		c.empty("web")
		answered(t, address, 5, bytes.Repeat([]byte("x"), 1<<20))
	})
	t.Run("after a deployment at zero", func(t *testing.T) {
		c.empty("web")
		c.define("web", image, func(d *ecstypes.ContainerDefinition) {
			d.Environment = append(d.Environment, ecstypes.KeyValuePair{Name: aws.String("STARTUP"), Value: aws.String("1s")})
		})
		must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String("web")}))
		began := time.Now()
		answered(t, address, 5, nil)
		if took := time.Since(began); took < time.Second {
			t.Errorf("answered after %v by a task of the old revision", took)
		}
		c.succeeds("web")
	})
	c.empty("web")
	s.stop(syscall.SIGTERM)
	s = serve(t, data)
	c = newClient(s)
	t.Run("after a restart at zero", func(t *testing.T) {
		answered(t, address, 5, nil)
	})
	t.Run("beside a service that is there", func(t *testing.T) {
		two := *must[*elb.CreateTargetGroupOutput](t)(c.elb.CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
			Name: aws.String("again"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), TargetType: elbtypes.TargetTypeEnumIp, VpcId: aws.String(c.network.VPC),
		})).TargetGroups[0].TargetGroupArn
		lbs := must[*elb.DescribeLoadBalancersOutput](t)(c.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{Names: []string{"web"}}))
		listener := must[*elb.DescribeListenersOutput](t)(c.elb.DescribeListeners(t.Context(), &elb.DescribeListenersInput{LoadBalancerArn: lbs.LoadBalancers[0].LoadBalancerArn})).Listeners[0]
		lead := func(groups ...elbtypes.TargetGroupTuple) {
			must[*elb.ModifyListenerOutput](t)(c.elb.ModifyListener(t.Context(), &elb.ModifyListenerInput{
				ListenerArn: listener.ListenerArn, DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: groups}}},
			}))
		}
		lead(elbtypes.TargetGroupTuple{TargetGroupArn: &tg, Weight: aws.Int32(1)}, elbtypes.TargetGroupTuple{TargetGroupArn: &two, Weight: aws.Int32(1)})
		c.service("again", "web", 1, two)
		eventually(t, 30*time.Second, "its task to be healthy", func() error {
			out, err := c.elb.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &two})
			if err == nil && (len(out.TargetHealthDescriptions) != 1 || out.TargetHealthDescriptions[0].TargetHealth.State != elbtypes.TargetHealthStateEnumHealthy) {
				err = fmt.Errorf("targets %+v", out.TargetHealthDescriptions)
			}
			return err
		})
		c.empty("web")
		answered(t, address, 20, nil)
		lead(elbtypes.TargetGroupTuple{TargetGroupArn: &tg, Weight: aws.Int32(1)})
	})
	t.Run("a start that fails", func(t *testing.T) {
		c.define("bad", image+"-that-is-not-there", nil)
		bad, at := c.balance("bad")
		c.service("bad", "bad", 0, bad)
		c.fromZero("bad")
		lbs := must[*elb.DescribeLoadBalancersOutput](t)(c.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{Names: []string{"bad"}}))
		must[*elb.ModifyLoadBalancerAttributesOutput](t)(c.elb.ModifyLoadBalancerAttributes(t.Context(), &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: lbs.LoadBalancers[0].LoadBalancerArn,
			Attributes:      []elbtypes.LoadBalancerAttribute{{Key: aws.String("idle_timeout.timeout_seconds"), Value: aws.String("3")}},
		}))
		for range 3 {
			if got := status(t, at, nil); got != http.StatusServiceUnavailable {
				t.Errorf("answered %d", got)
			}
		}
	})
	t.Run("at the moment of the scale-in", func(t *testing.T) {
		answered(t, address, 1, nil)
		for range *idlePeriods {
			began := time.Now()
			for c.describe("web").DesiredCount > 0 {
				if time.Since(began) > 3*time.Minute {
					t.Fatalf("no scale-in to zero; %s", explained(t, s))
				}
			}
			t.Logf("zero %v after the last request", time.Since(began).Round(time.Second))
			answered(t, address, 5, nil)
		}
		if why := explained(t, s); !strings.Contains(why, "no request for 10 s: needs 0") || !strings.Contains(why, "wait at the balancer and there is no task: needs 1") ||
			!strings.Contains(why, "requests 503: NoTargets") {
			t.Errorf("explained as\n%s", why)
		}
	})
}

// explained is what neargate explain says of the service.
func explained(t *testing.T, s *server) string {
	t.Helper()
	out, err := exec.Command(neargate(t), "explain", "web", "--data", s.data).CombinedOutput()
	if err != nil {
		t.Fatalf("explain: %v\n%s", err, out)
	}
	return string(out)
}
