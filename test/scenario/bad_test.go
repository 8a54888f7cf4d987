package scenario_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
)

// TestBadInput gives a running server what it must refuse or survive. The rows
// share one server, which must be well after each.
func TestBadInput(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	image := c.pushApp()
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	defer destroy(t, s, c)

	for _, row := range []struct {
		name, image, reason string
		change              func(*ecstypes.ContainerDefinition)
	}{
		{"unknown image", strings.Replace(image, ":latest", ":nosuch", 1), "CannotPullContainerError", nil},
		{"unknown program", image, "CannotStartContainerError", func(d *ecstypes.ContainerDefinition) { d.EntryPoint = []string{"/nosuch"} }},
		{"exits at once", image, "Essential container in task exited", func(d *ecstypes.ContainerDefinition) { d.Command = []string{"--nosuch-flag"} }},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := *c
			c.t = t
			c.define("bad", row.image, row.change)
			c.service("bad", "bad", 1, "")
			c.stopsWith("bad", row.reason)
			c.delete("bad")
		})
	}
	t.Run("needs more memory than it has", func(t *testing.T) {
		c := *c
		c.t = t
		hog := filepath.Join(t.TempDir(), "hog")
		if out, err := exec.Command("go", "build", "-o", hog, "./testdata/hog").CombinedOutput(); err != nil {
			t.Fatalf("build hog: %v\n%s", err, out)
		}
		c.define("bad", c.push("hog", hog), func(d *ecstypes.ContainerDefinition) { d.Memory = aws.Int32(48) })
		c.service("bad", "bad", 1, "")
		c.stopsWith("bad", "OutOfMemoryError")
		c.delete("bad")
	})
	t.Run("minimum above maximum", func(t *testing.T) {
		_, err := c.scaling.RegisterScalableTarget(t.Context(), &applicationautoscaling.RegisterScalableTargetInput{
			ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String("service/default/web"),
			ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount, MinCapacity: aws.Int32(5), MaxCapacity: aws.Int32(2),
		})
		refused(t, err, "ValidationException")
	})
	t.Run("unknown service", func(t *testing.T) {
		_, err := c.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("nosuch"), DesiredCount: aws.Int32(1)})
		refused(t, err, "ServiceNotFoundException")
	})
	t.Run("port taken", func(t *testing.T) { portTaken(t, c) })
	t.Run("bad JSON", func(t *testing.T) {
		if got := post(t, s, "{"); !strings.Contains(got, "400") {
			t.Errorf("answer %q, want a 400", got)
		}
	})
	t.Run("oversized body", func(t *testing.T) {
		if got := post(t, s, `{"x":"`+strings.Repeat("y", 20<<20)+`"}`); !strings.Contains(got, "413") {
			t.Errorf("answer %q, want a 413", got)
		}
	})
	t.Run("address taken", func(t *testing.T) {
		out, err := exec.Command(neargate(t), "serve", "--data", t.TempDir(), "--listen", strings.TrimPrefix(s.Endpoint, "http://")).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "another program has the address") || !strings.Contains(string(out), "hint: ") {
			t.Errorf("%v: %s", err, out)
		}
	})
	t.Run("data directory taken", func(t *testing.T) {
		out, err := exec.Command(neargate(t), "serve", "--data", s.data, "--listen", "127.0.0.1:0").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "in use") || !strings.Contains(string(out), "hint: ") {
			t.Errorf("%v: %s", err, out)
		}
	})
	if err := healthy(t.Context(), s.Endpoint); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// stopsWith waits for a task of a service, of one container, that stopped for a
// reason. The container has the task's where it could not be pulled or started.
func (c *client) stopsWith(service, reason string) {
	c.t.Helper()
	eventually(c.t, 30*time.Second, "a stopped task with the reason "+reason, func() error {
		var seen []string
		for _, task := range c.tasks(service, ecstypes.DesiredStatusStopped) {
			said := aws.ToString(task.StoppedReason)
			for _, k := range task.Containers {
				said += " / " + aws.ToString(k.Reason)
			}
			if strings.Contains(said, reason) {
				why, own := aws.ToString(task.StoppedReason), aws.ToString(task.Containers[0].Reason)
				if (strings.HasPrefix(why, "CannotPull") || strings.HasPrefix(why, "CannotStart")) && own != why {
					c.t.Errorf("the container's reason is %q, the task's %q", own, why)
				}
				return nil
			}
			seen = append(seen, said)
		}
		return fmt.Errorf("stopped: %q; events: %s", seen, messages(c.describe(service)))
	})
}

// delete deletes a service and waits until it has gone.
func (c *client) delete(service string) {
	c.t.Helper()
	must[*ecs.DeleteServiceOutput](c.t)(c.ecs.DeleteService(c.t.Context(), &ecs.DeleteServiceInput{Service: aws.String(service), Force: aws.Bool(true)}))
	eventually(c.t, 20*time.Second, "the service to be gone", func() error {
		if st := aws.ToString(c.describe(service).Status); st != "INACTIVE" {
			return errors.New(st)
		}
		return nil
	})
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

// portTaken asks for a listener on a port that another program has; nothing
// must change.
func portTaken(t *testing.T, c *client) {
	t.Helper()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	lb := must[*elb.CreateLoadBalancerOutput](t)(c.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String("taken"), Subnets: c.network.Subnets,
	})).LoadBalancers[0]
	_, err = c.elb.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(int32(l.Addr().(*net.TCPAddr).Port)),
		DefaultActions: []elbtypes.Action{{
			Type:                elbtypes.ActionTypeEnumFixedResponse,
			FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("200")},
		}},
	})
	var api smithy.APIError
	if !errors.As(err, &api) || !strings.Contains(api.ErrorMessage(), "another process on this machine listens on it") {
		t.Errorf("error %v, want one that says that the port is in use", err)
	}
	left := must[*elb.DescribeListenersOutput](t)(c.elb.DescribeListeners(t.Context(), &elb.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn}))
	if len(left.Listeners) != 0 {
		t.Errorf("listeners %+v, want none", left.Listeners)
	}
}

// post sends a signed ECS call and returns the status with the body.
func post(t *testing.T, s *server, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint+"/", bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	hash := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: s.AccessKey, SecretAccessKey: s.SecretKey}
	if err := v4.NewSigner().SignHTTP(t.Context(), key, req, hex.EncodeToString(hash[:]), "ecs", s.Region, time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + " " + string(data)
}
