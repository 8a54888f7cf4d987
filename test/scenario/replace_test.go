package scenario_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

	"neargate/internal/load"
	"neargate/internal/traffic"
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
	l.keep(ctx, t, "http://"+address+"/", 500)
	l.each(ctx, "closing", 250, func() error { return askOnce(ctx, address) })
	modern := &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // who is served is tested elsewhere
	}}
	defer modern.CloseIdleConnections()
	l.each(ctx, "HTTP/2", 250, func() error { return askHTTP2(ctx, modern, "https://"+secure+"/") })
	var made []string // by the calls
	l.each(ctx, "calls", 10, func() error {
		name := fmt.Sprintf("c-%d", len(made))
		if _, err := callOnce(s).CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(name)}); err != nil {
			return err
		}
		made = append(made, name)
		return nil
	})
	socket, _, err := websocket.Dial(ctx, "ws://"+echo+"/", nil) //nolint:bodyclose // it is the connection
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
	l.report(t)
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

// askOnce asks on a connection for this request alone.
func askOnce(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	return succeeded(resp, err)
}

func askHTTP2(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err == nil && resp.ProtoMajor != 2 {
		err = fmt.Errorf("answered in %s", resp.Proto)
	}
	return succeeded(resp, err)
}

func succeeded(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// loads are clients that go on asking, and what became of it.
type loads struct {
	running sync.WaitGroup
	asked   atomic.Int64

	mu     sync.Mutex
	counts map[string]int
	failed []string
}

func (l *loads) note(who string, err error) {
	l.asked.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	l.counts[who]++
	if err != nil {
		l.failed = append(l.failed, fmt.Sprintf("%s %s: %v", time.Now().Format("15:04:05.000"), who, err))
	}
}

// keep asks over 20 kept connections, at a rate a second.
func (l *loads) keep(ctx context.Context, t *testing.T, url string, rate int) {
	const users = 20
	tester := must[*load.Tester](t)(load.New(load.Config{
		URL: url, Pace: time.Second * users / time.Duration(rate), Users: traffic.Shape{{For: time.Hour, From: users, To: users}},
	}))
	l.running.Go(func() {
		_ = tester.Run(ctx, func(r load.Result) { // ends with ctx
			switch {
			case ctx.Err() != nil:
			case r.Err != nil:
				l.note("kept", r.Err)
			case r.Failed():
				l.note("kept", fmt.Errorf("status %d", r.Status))
			default:
				l.note("kept", nil)
			}
		})
	})
}

// each asks at a rate a second, one request after another for each of up to 10 users.
func (l *loads) each(ctx context.Context, who string, rate int, ask func() error) {
	users := max(1, rate/25)
	for range users {
		l.running.Go(func() {
			tick := time.NewTicker(time.Second * time.Duration(users) / time.Duration(rate))
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				if err := ask(); ctx.Err() == nil {
					l.note(who, err)
				}
			}
		})
	}
}

// more waits for a second's requests.
func (l *loads) more(t *testing.T) {
	until := l.asked.Load() + 1000
	eventually(t, time.Minute, "1,000 requests", func() error {
		if n := l.asked.Load(); n < until {
			return fmt.Errorf("%d are missing", until-n)
		}
		return nil
	})
}

func (l *loads) wait() { l.running.Wait() }

func (l *loads) report(t *testing.T) {
	t.Logf("%d restarts, requests: %v", *restarts, l.counts)
	for _, who := range []string{"kept", "closing", "HTTP/2", "calls"} {
		if l.counts[who] == 0 {
			t.Errorf("nobody asked: %s", who)
		}
	}
	if len(l.failed) > 0 {
		t.Errorf("%d requests failed:\n%s", len(l.failed), strings.Join(l.failed[:min(20, len(l.failed))], "\n"))
	}
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
