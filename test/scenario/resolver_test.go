package scenario_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	dns "golang.org/x/net/dns/dnsmessage"
)

// outside is a resolver that knows www.example.org, at 127.77.0.1 port 53.
func outside(t *testing.T) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 77, 0, 1), Port: 53})
	if err != nil {
		t.Skip("needs port 53 of 127.77.0.1: ", err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		in := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUDP(in)
			if err != nil {
				return
			}
			var q dns.Message
			if q.Unpack(in[:n]) != nil || len(q.Questions) != 1 {
				continue
			}
			a := dns.Message{Header: dns.Header{ID: q.ID, Response: true}, Questions: q.Questions}
			switch {
			case q.Questions[0].Name.String() != "www.example.org.":
				a.RCode = dns.RCodeNameError
			case q.Questions[0].Type == dns.TypeA:
				a.Answers = []dns.Resource{{
					Header: dns.ResourceHeader{Name: q.Questions[0].Name, Class: dns.ClassINET, TTL: 5}, Body: &dns.AResource{A: [4]byte{192, 0, 2, 80}},
				}}
			}
			if out, err := a.Pack(); err == nil {
				_, _ = conn.WriteToUDP(out, from)
			}
		}
	})
	t.Cleanup(func() { _ = conn.Close(); running.Wait() })
}

// TestEveryProgramResolves: in a mount namespace with a resolv.conf of its own,
// 'neargate dns install' has Python and the C library find load balancers; other
// names come from the resolver that was there, also while no server runs; and
// 'neargate dns uninstall' puts the file back. Tasks find those names too.
func TestEveryProgramResolves(t *testing.T) {
	getent, python := machineProgram(t, "getent"), machineProgram(t, "python3")
	machineProgram(t, "unshare")
	machineProgram(t, "nsenter")
	outside(t)
	const text = "# of a test\nnameserver 127.77.0.1\noptions timeout:2\n"
	etc := filepath.Join(t.TempDir(), "etc")
	if out, err := exec.Command("cp", "-a", "/etc", etc).CombinedOutput(); err != nil {
		t.Fatalf("copy /etc: %v\n%s", err, out)
	}
	file := filepath.Join(etc, "resolv.conf")
	if err := errors.Join(os.RemoveAll(file), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	apart := namespaceWith(t, etc)
	data := t.TempDir()
	s := startBy(t, apart, data, "--domain", "example.test", "--dns", "127.53.0.9:53")
	s.ready()
	run := func(args ...string) string {
		t.Helper()
		line := slices.Concat(apart, args)
		out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
		if err != nil {
			out = fmt.Appendf(out, "%v", err)
		}
		return strings.TrimSpace(string(out))
	}
	lookup := func(name string) string {
		t.Helper()
		return run(python, "-c", "import socket,sys\ntry: print(*sorted({a[4][0] for a in socket.getaddrinfo(sys.argv[1], 80)}))\nexcept socket.gaierror: print('unknown')", name)
	}

	c := newClient(s)
	ctx := t.Context()
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))
	_, address := c.balance("shop")
	own, _, _ := net.SplitHostPort(address)
	aliases := run(neargate(t), "dns", "--data", data)
	if !strings.Contains(aliases, "shop.example.test") || !strings.Contains(aliases, ".us-east-1.elb.amazonaws.com") {
		t.Fatalf("neargate dns: %s", aliases)
	}
	var local string
	for field := range strings.FieldsSeq(aliases) {
		if strings.HasSuffix(field, ".elb.localhost") {
			local = field
		}
	}
	if got := lookup("shop.example.test"); got != "unknown" {
		t.Errorf("before: %s", got)
	}
	if got := run(neargate(t), "dns", "install", "--data", data); !strings.Contains(got, "names 127.53.0.9 first") {
		t.Errorf("install: %s", got)
	}
	if got := run(neargate(t), "dns", "install", "--data", data); !strings.HasPrefix(got, "nothing to do") {
		t.Errorf("install once more: %s", got)
	}
	for name, want := range map[string]string{
		"shop.example.test": own, "SHOP.example.test": own, local: own, "gone.example.test": "unknown",
		"www.example.org": "192.0.2.80", "gone.example.org": "unknown",
	} {
		if got := lookup(name); got != want {
			t.Errorf("Python finds %s at %s, want %s", name, got, want)
		}
	}
	if got := run(getent, "ahostsv4", "shop.example.test"); !strings.HasPrefix(got, own) {
		t.Errorf("getent: %s", got)
	}
	exit, output := c.once(c.push("getent", getent), "ahostsv4", "www.example.org")
	if exit != 0 || !strings.HasPrefix(output, "192.0.2.80") {
		t.Errorf("a task finds the name from outside: %d, %q", exit, output)
	}

	must[*elb.DeleteLoadBalancerOutput](t)(c.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: aws.String(c.balancerARN("shop"))}))
	if got := lookup("shop.example.test"); got != "unknown" {
		t.Errorf("after the load balancer was deleted: %s", got)
	}
	s.stop(syscall.SIGTERM)
	if got := lookup("www.example.org"); got != "192.0.2.80" {
		t.Errorf("without a server: %s", got)
	}
	if got := run(neargate(t), "dns", "uninstall"); !strings.Contains(got, "is as it was") {
		t.Errorf("uninstall: %s", got)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != text {
		t.Errorf("the file is %q, %v", got, err)
	}
	if _, err := os.Stat(file + ".before-neargate"); err == nil {
		t.Error("the copy is left")
	}
}

// namespaceWith makes a mount namespace in which a directory is /etc, and returns
// the command that runs others there.
func namespaceWith(t *testing.T, etc string) []string {
	t.Helper()
	holder := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", `mount --bind "$0" /etc && echo ready && exec sleep 600`, etc)
	out, err := holder.StdoutPipe()
	if err == nil {
		err = holder.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holder.Process.Kill(); _ = holder.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("make a mount namespace: %q, %v", line, err)
	}
	return []string{"nsenter", "--mount", "--target", strconv.Itoa(holder.Process.Pid)}
}

func (c *client) balancerARN(name string) string {
	c.t.Helper()
	return *must[*elb.DescribeLoadBalancersOutput](c.t)(c.elb.DescribeLoadBalancers(c.t.Context(), &elb.DescribeLoadBalancersInput{Names: []string{name}})).LoadBalancers[0].LoadBalancerArn
}
