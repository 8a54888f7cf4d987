package scenario_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/coder/websocket"
)

var restarts = flag.Int("restarts", 3, "how often TestReplacedUnderLoad replaces the server")

// TestReplacedUnderLoad replaces the server by itself, again and again, at 1,000
// requests/s: over kept connections, one connection a request, HTTP/2 in TLS, and
// with a WebSocket open and calls that change something. Nothing fails and nothing is
// lost.
func TestReplacedUnderLoad(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	c.define("web", c.pushApp(), nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	tg, address := c.balance("web")
	secure := c.alsoSecure(s, tg)
	c.service("web", "web", 3, tg)
	c.stable("web")
	c.healthy(tg, 3)
	defer func() { destroy(t, s, c) }()
	before := c.tasks("web", ecstypes.DesiredStatusRunning)
	echo := c.echoes()

	var l loads
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l.thousand(ctx, t, address, secure)
	var made []string // by the calls
	l.each(ctx, "calls", 10, func() error {
		name := fmt.Sprintf("c-%d", len(made))
		if _, err := callOnce(s).CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(name)}); err != nil {
			return err
		}
		made = append(made, name)
		return nil
	})
	socket, _, err := websocket.Dial(ctx, "ws://"+echo+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	first := s.cmd.Process.Pid
	for i := range *restarts {
		s.replace()
		l.more(t)
		if err := said(ctx, socket, fmt.Sprint("after ", i)); err != nil {
			t.Fatalf("the WebSocket after restart %d: %v", i, err)
		}
	}
	stop()
	l.wait()
	t.Logf("%d restarts", *restarts)
	l.report(t, "calls")
	if after := c.tasks("web", ecstypes.DesiredStatusRunning); len(after) != len(before) {
		t.Errorf("%d tasks, %d before", len(after), len(before))
	} else {
		for arn := range before {
			if _, ok := after[arn]; !ok {
				t.Errorf("task %s is gone", arn)
			}
		}
	}
	known := must[*ecs.ListClustersOutput](t)(c.ecs.ListClusters(t.Context(), &ecs.ListClustersInput{})).ClusterArns
	for _, name := range made[max(0, len(made)-90):] { // one page
		if !slices.ContainsFunc(known, func(arn string) bool { return strings.HasSuffix(arn, "/"+name) }) && len(made) < 90 {
			t.Errorf("cluster %s was made and is gone", name)
		}
	}
	if !runs(first) {
		t.Error("the first process ended, though it has the WebSocket")
	}
	_ = socket.Close(websocket.StatusNormalClosure, "")
	eventually(t, 20*time.Second, "the first process to end with its last connection", func() error {
		if runs(first) {
			return errors.New("it runs")
		}
		return nil
	})
}

// TestReplacedByWhatLiesThere replaces a server whose program was renamed: by the one
// that lies in its place, and again by one that a link leads to.
func TestReplacedByWhatLiesThere(t *testing.T) {
	dir := t.TempDir()
	path, old, linked := filepath.Join(dir, "neargate"), filepath.Join(dir, "neargate.old"), filepath.Join(dir, "neargate-3")
	install(t, path)
	s := startBy(t, []string{"sh", "-c", `shift; exec "$0" "$@"`, path}, t.TempDir())
	s.ready()
	if err := os.Rename(path, old); err != nil {
		t.Fatal(err)
	}
	install(t, path)
	for _, want := range []string{path, linked} {
		s.replace()
		if got, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", s.successor)); err != nil || got != want {
			t.Fatalf("the successor is %s, %v; want %s", got, err, want)
		}
		install(t, linked)
		if err := errors.Join(os.Remove(path), os.Symlink(linked, path)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReplacedByAProgramThatHangs has a server start a program that hangs: who asked for
// it hears of that, and the next restart is not refused.
func TestReplacedByAProgramThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "neargate")
	install(t, path)
	s := startBy(t, []string{"sh", "-c", `shift; exec "$0" "$@"`, path}, t.TempDir())
	s.ready()
	hangs := []byte("#!/bin/sh\nexec sleep 600\n")
	if err := errors.Join(os.Remove(path), os.WriteFile(path, hangs, 0o755)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(neargate(t), "restart", "--data", s.data).CombinedOutput()
	if want := "the server goes on: it did not call within 15s, and was killed"; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("restart: %v: %s; want %q", err, out, want)
	}
	install(t, path)
	s.replace()
}

// install puts the program at a path.
func install(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(neargate(t))
	if err == nil {
		_ = os.Remove(path) // one that runs cannot be written to
		err = os.WriteFile(path, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// replace has the server replace itself; the successor is the server then.
func (s *server) replace() {
	s.t.Helper()
	out, err := exec.Command(neargate(s.t), "restart", "--data", s.data).CombinedOutput()
	var pid int
	if err == nil {
		_, err = fmt.Sscanf(string(out), "process %d serves", &pid)
	}
	if err != nil {
		s.t.Fatalf("restart: %v: %s\n%s", err, out, s.log)
	}
	s.successor = pid
}

// alsoSecure adds a listener for HTTPS to the load balancer of a target group, and
// returns its address.
func (c *client) alsoSecure(s *server, targetGroup string) string {
	c.t.Helper()
	ctx := c.t.Context()
	cert := must[*acm.RequestCertificateOutput](c.t)(certificates(s).RequestCertificate(ctx, &acm.RequestCertificateInput{DomainName: aws.String("web.example.test")}))
	lb := must[*elb.DescribeLoadBalancersOutput](c.t)(c.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})).LoadBalancers[0]
	port := freePort(c.t)
	eventually(c.t, 10*time.Second, "the certificate", func() error {
		_, err := c.elb.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttps, Port: aws.Int32(port),
			Certificates:   []elbtypes.Certificate{{CertificateArn: cert.CertificateArn}},
			DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: aws.String(targetGroup)}},
		})
		return err
	})
	return net.JoinHostPort(*lb.AvailabilityZones[0].LoadBalancerAddresses[0].IpAddress, fmt.Sprint(port))
}

func certificates(s *server) *acm.Client {
	return acm.New(acm.Options{
		Region: s.Region, BaseEndpoint: aws.String(s.Endpoint), Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
}

// callOnce is a client that does not try again.
func callOnce(s *server) *ecs.Client {
	return ecs.New(ecs.Options{
		Region: s.Region, BaseEndpoint: aws.String(s.Endpoint), Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
		Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
}

// healthy waits until so many targets of a group are.
func (c *client) healthy(targetGroup string, n int) {
	c.t.Helper()
	eventually(c.t, 20*time.Second, "healthy targets", func() error {
		out, err := c.elb.DescribeTargetHealth(c.t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(targetGroup)})
		if err != nil {
			return err
		}
		well := 0
		for _, d := range out.TargetHealthDescriptions {
			if d.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
				well++
			}
		}
		if well != n {
			return fmt.Errorf("%d of %d", well, n)
		}
		return nil
	})
}

// echoes makes a load balancer before a WebSocket server of the test's, and returns its
// address.
func (c *client) echoes() string {
	c.t.Helper()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			return // a probe
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		for {
			kind, data, err := conn.Read(r.Context())
			if err != nil || conn.Write(r.Context(), kind, data) != nil {
				return
			}
		}
	}))
	c.t.Cleanup(target.Close)
	tg, address := c.balance("echo")
	at := target.Listener.Addr().(*net.TCPAddr)
	must[*elb.RegisterTargetsOutput](c.t)(c.elb.RegisterTargets(c.t.Context(), &elb.RegisterTargetsInput{
		TargetGroupArn: aws.String(tg), Targets: []elbtypes.TargetDescription{{Id: aws.String(at.IP.String()), Port: aws.Int32(int32(at.Port))}},
	}))
	c.healthy(tg, 1)
	return address
}

func said(ctx context.Context, socket *websocket.Conn, text string) error {
	if err := socket.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		return err
	}
	_, got, err := socket.Read(ctx)
	if err == nil && string(got) != text {
		err = fmt.Errorf("heard %q", got)
	}
	return err
}

// endSuccessor ends a server that has replaced another.
func (s *server) endSuccessor(sig syscall.Signal) {
	if s.successor == 0 {
		return
	}
	if err := syscall.Kill(s.successor, sig); err != nil {
		s.t.Errorf("the successor: %v", err)
	}
	eventually(s.t, 20*time.Second, "the successor to end", func() error {
		if runs(s.successor) {
			return errors.New("it runs")
		}
		return nil
	})
	s.successor = 0
}

// runs reports whether a process has not ended.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
