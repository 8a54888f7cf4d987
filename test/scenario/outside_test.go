package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// neighbour is another machine: a network namespace on a link of this one.
type neighbour struct {
	work chan func()
}

// The link to the neighbour, by both families: this machine's end and theirs.
const (
	ours4, theirs4 = "198.51.100.1", "198.51.100.7"
	ours6, theirs6 = "2001:db8:77::1", "2001:db8:77::7"
)

func newNeighbour(t *testing.T) *neighbour {
	t.Helper()
	n := &neighbour{work: make(chan func())}
	ready, done, tid := make(chan error), make(chan struct{}), 0
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with its goroutine
		tid = unix.Gettid()
		ready <- unix.Unshare(unix.CLONE_NEWNET)
		for f := range n.work {
			f()
		}
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(n.work); <-done })
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.Flags = "ngtest-out", net.FlagUp
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsPid(tid)}
	if err := netlink.LinkAdd(veth); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(veth) }) // it goes with the namespace
	set := func(link netlink.Link, addresses ...string) error {
		for _, a := range addresses {
			network := must[*netlink.Addr](t)(netlink.ParseAddr(a))
			network.Flags = unix.IFA_F_NODAD
			if err := netlink.AddrAdd(link, network); err != nil {
				return fmt.Errorf("set %s: %w", a, err)
			}
		}
		return netlink.LinkSetUp(link)
	}
	if err := set(veth, ours4+"/24", ours6+"/64"); err != nil {
		t.Fatal(err)
	}
	err := n.do(func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return set(link, theirs4+"/24", theirs6+"/64")
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *neighbour) do(f func() error) error {
	done := make(chan error)
	n.work <- func() { done <- f() }
	return <-done
}

// get asks from the other machine, over a connection of its own.
func (n *neighbour) get(t *testing.T, at netip.AddrPort, host string) (status int, body string, err error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (conn net.Conn, err error) {
			return conn, errors.Join(n.do(func() error {
				conn, err = (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
				return err
			}))
		},
	}}
	req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at.String()+"/", nil))
	if host != "" {
		req.Host = host
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// face creates a load balancer that says its name on the port, and returns it.
func (c *client) face(name string, port int32, in elb.CreateLoadBalancerInput, action elbtypes.Action) elbtypes.LoadBalancer {
	c.t.Helper()
	in.Name, in.Subnets = aws.String(name), c.network.Subnets
	lb := must[*elb.CreateLoadBalancerOutput](c.t)(c.elb.CreateLoadBalancer(c.t.Context(), &in)).LoadBalancers[0]
	must[*elb.CreateListenerOutput](c.t)(c.elb.CreateListener(c.t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(port), DefaultActions: []elbtypes.Action{action},
	}))
	return lb
}

func says(text string) elbtypes.Action {
	return elbtypes.Action{
		Type:                elbtypes.ActionTypeEnumFixedResponse,
		FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("200"), ContentType: aws.String("text/plain"), MessageBody: aws.String(text)},
	}
}

// TestReachedFromAnotherMachine: an internet-facing load balancer answers a
// client from another machine, by IPv4 and IPv6, if its security group says so;
// an internal one does not, nor do the APIs.
func TestReachedFromAnotherMachine(t *testing.T) {
	neargate(t)
	other := newNeighbour(t)
	s := serve(t, t.TempDir(), "--public", "all")
	c := newClient(s)
	port := freePort(t)
	group := s.group("web")
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Forwarded-For")+" "+r.Header.Get("X-Forwarded-Port"))
	}))
	defer echo.Close()
	tg := must[*elb.CreateTargetGroupOutput](t)(c.elb.CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String("echo"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), TargetType: elbtypes.TargetTypeEnumIp, VpcId: aws.String(c.network.VPC),
	})).TargetGroups[0].TargetGroupArn
	at := netip.MustParseAddrPort(echo.Listener.Addr().String())
	must[*elb.RegisterTargetsOutput](t)(c.elb.RegisterTargets(t.Context(), &elb.RegisterTargetsInput{
		TargetGroupArn: tg, Targets: []elbtypes.TargetDescription{{Id: aws.String(at.Addr().String()), Port: aws.Int32(int32(at.Port()))}},
	}))
	facing := c.face("facing", port, elb.CreateLoadBalancerInput{SecurityGroups: []string{group}, IpAddressType: elbtypes.IpAddressTypeDualstack},
		elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: tg})
	inner := c.face("inner", port+1, elb.CreateLoadBalancerInput{Scheme: elbtypes.LoadBalancerSchemeEnumInternal, SecurityGroups: []string{group}}, says("inner"))

	public4 := netip.AddrPortFrom(netip.MustParseAddr(ours4), uint16(port))
	public6 := netip.AddrPortFrom(netip.MustParseAddr(ours6), uint16(port))
	reset := func(what string, at netip.AddrPort) {
		t.Helper()
		if _, body, err := other.get(t, at, ""); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: got %q, %v; want a reset", what, body, err)
		}
	}
	reset("IPv4, before any rule", public4)
	reset("IPv6, before any rule", public6)
	allow := func(field, cidr string) {
		t.Helper()
		rule := []string{"GroupId=" + group, "IpPermissions.1.IpProtocol=tcp", fmt.Sprint("IpPermissions.1.FromPort=", port), fmt.Sprint("IpPermissions.1.ToPort=", port+1), field + "=" + cidr}
		if answer := s.ec2("AuthorizeSecurityGroupIngress", rule...); element(answer, "return") != "true" {
			t.Fatal(answer)
		}
	}
	got := func(what string, at netip.AddrPort, host, want string) {
		t.Helper()
		if status, body, err := other.get(t, at, host); status != http.StatusOK || body != want {
			t.Errorf("%s: got %d %q, %v; want %q", what, status, body, err, want)
		}
	}
	allow("IpPermissions.1.IpRanges.1.CidrIp", theirs4+"/32")
	got("IPv4", public4, *facing.DNSName, theirs4+" "+strconv.Itoa(int(port)))
	reset("IPv6, with a rule for IPv4 alone", public6)
	allow("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "::/0")
	got("IPv6", public6, "", theirs6+" "+strconv.Itoa(int(port)))

	refused := func(what string, at netip.AddrPort) {
		t.Helper()
		if _, body, err := other.get(t, at, ""); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: got %q, %v; want refused", what, body, err)
		}
	}
	refused("the internal one", netip.AddrPortFrom(public4.Addr(), uint16(port)+1))
	api := s.Endpoint[strings.LastIndexByte(s.Endpoint, ':')+1:]
	refused("the APIs", netip.AddrPortFrom(public4.Addr(), uint16(must[int](t)(strconv.Atoi(api)))))
	got("the internal one's name at the other's port", public4, *inner.DNSName, theirs4+" "+strconv.Itoa(int(port)))

	// Without IPv6 of its own, it is not reached by that either.
	must[*elb.SetIpAddressTypeOutput](t)(c.elb.SetIpAddressType(t.Context(), &elb.SetIpAddressTypeInput{
		LoadBalancerArn: facing.LoadBalancerArn, IpAddressType: elbtypes.IpAddressTypeIpv4,
	}))
	eventually(t, 10*time.Second, "IPv6 to be closed", func() error {
		if _, body, err := other.get(t, public6, ""); !errors.Is(err, syscall.ECONNREFUSED) {
			return fmt.Errorf("got %q, %w", body, err)
		}
		return nil
	})
	got("IPv4 still", public4, "", theirs4+" "+strconv.Itoa(int(port)))
}
