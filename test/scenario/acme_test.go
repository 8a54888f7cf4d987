package scenario_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/certs"
)

// pebble is an ACME authority that runs.
type pebble struct {
	directory  string
	root       string // file with the certificate by which its APIs are trusted
	management string
	client     *http.Client
}

// runPebble builds Pebble from its module and runs it, or skips the test. It asks
// names of dns, and looks for proofs at two ports.
func runPebble(t *testing.T, dns string, httpPort, tlsPort int32) *pebble {
	t.Helper()
	dir := t.TempDir()
	exe := filepath.Join(dir, "pebble")
	build := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-o", exe, "github.com/letsencrypt/pebble/v2/cmd/pebble")
	build.Dir, build.Env = filepath.Join("..", "pebble"), append(os.Environ(), "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("needs Pebble, which cannot be built here: %v\n%s", err, out)
	}
	authority, err := certs.OpenAuthority(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := authority.Issue([]string{"127.0.0.1"}, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	listen, manage := fmt.Sprint("127.0.0.1:", freePort(t)), fmt.Sprint("127.0.0.1:", freePort(t))
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": manage, "certificate": write("cert.pem", cert), "privateKey": write("key.pem", key),
		"httpPort": httpPort, "tlsPort": tlsPort, "domainBlocklist": []string{"blocked.example.test"}, "retryAfter": map[string]int{"authz": 1, "order": 1},
		"keyAlgorithm": "ecdsa", "profiles": map[string]any{"default": map[string]any{"description": "d", "validityPeriod": 7776000}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	said := &syncBuffer{}
	cmd := exec.CommandContext(t.Context(), exe, "-config", write("config.json", config), "-dnsserver", dns)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0", "PEBBLE_WFE_NONCEREJECT=20")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("pebble:\n%s", said)
		}
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.Root())
	p := &pebble{
		directory: "https://" + listen + "/dir", management: "https://" + manage, root: filepath.Join(dir, certs.AuthorityFile),
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
	}
	t.Cleanup(p.client.CloseIdleConnections)
	eventually(t, 20*time.Second, "pebble to answer", func() error {
		_, err := p.get(p.directory)
		return err
	})
	return p
}

func (p *pebble) get(url string) ([]byte, error) {
	resp, err := p.client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// TestOrderedCertificates requests certificates of public names from a real ACME
// authority, which looks for the proofs over HTTP and in TLS at load balancers.
func TestOrderedCertificates(t *testing.T) {
	dns, httpPort, tlsPort := fmt.Sprint("127.0.0.1:", freePort(t)), freePort(t), freePort(t)
	p := runPebble(t, dns, httpPort, tlsPort)
	s := startBy(t, []string{"env", "SSL_CERT_FILE=" + p.root}, t.TempDir(),
		"--domain", "example.test", "--dns", dns, "--acme", p.directory, "--acme-email", "someone@example.test")
	s.ready()
	ctx, keys := t.Context(), credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")
	manager := acm.New(acm.Options{Region: s.Region, BaseEndpoint: &s.Endpoint, Credentials: keys})
	balancers := elb.New(elb.Options{Region: s.Region, BaseEndpoint: &s.Endpoint, Credentials: keys})
	request := func(name string) *string {
		t.Helper()
		return must[*acm.RequestCertificateOutput](t)(manager.RequestCertificate(ctx, &acm.RequestCertificateInput{
			DomainName: &name, ValidationMethod: acmtypes.ValidationMethodDns, KeyAlgorithm: acmtypes.KeyAlgorithmEcPrime256v1,
		})).CertificateArn
	}
	describe := func(arn *string) *acmtypes.CertificateDetail {
		t.Helper()
		return must[*acm.DescribeCertificateOutput](t)(manager.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: arn})).Certificate
	}
	await := func(arn *string, status acmtypes.CertificateStatus) *acmtypes.CertificateDetail {
		t.Helper()
		eventually(t, 90*time.Second, "the certificate to be "+string(status), func() error {
			if d := describe(arn); d.Status != status {
				return fmt.Errorf("it is %s %s", d.Status, d.FailureReason)
			}
			return nil
		})
		return describe(arn)
	}
	lb := must[*elb.CreateLoadBalancerOutput](t)(balancers.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("shop"), Subnets: newClient(s).network.Subnets})).LoadBalancers[0]
	answer := []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
		StatusCode: aws.String("200"), ContentType: aws.String("text/plain"), MessageBody: aws.String("shop"),
	}}}
	plain := must[*elb.CreateListenerOutput](t)(balancers.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(httpPort), Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: answer,
	})).Listeners[0].ListenerArn

	first := request("shop.example.test")
	d := await(first, acmtypes.CertificateStatusIssued)
	if !strings.HasPrefix(*d.Issuer, "Pebble") || d.NotAfter.Sub(*d.NotBefore).Round(24*time.Hour) != 90*24*time.Hour {
		t.Errorf("issued by %s until %v", *d.Issuer, d.NotAfter)
	}
	must[*elb.CreateListenerOutput](t)(balancers.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(tlsPort), Protocol: elbtypes.ProtocolEnumHttps, DefaultActions: answer,
		Certificates: []elbtypes.Certificate{{CertificateArn: first}},
	}))
	root, err := p.get(p.management + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(root) {
		t.Fatalf("no root: %s", root)
	}
	serves := func() {
		t.Helper()
		conn, err := tls.Dial("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(tlsPort)), &tls.Config{RootCAs: roots, ServerName: "shop.example.test"})
		if err != nil {
			t.Fatalf("a client that trusts the authority alone: %v", err)
		}
		_ = conn.Close()
	}
	serves()

	// Without the listener over HTTP the proof is shown in the handshake.
	must[*elb.DeleteListenerOutput](t)(balancers.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: plain}))
	before := *describe(first).Serial
	must[*acm.RenewCertificateOutput](t)(manager.RenewCertificate(ctx, &acm.RenewCertificateInput{CertificateArn: first}))
	eventually(t, 90*time.Second, "the certificate to be renewed", func() error {
		if d := describe(first); *d.Serial == before {
			return fmt.Errorf("not yet: %+v", d.RenewalSummary)
		}
		return nil
	})
	serves()

	blocked := await(request("blocked.example.test"), acmtypes.CertificateStatusFailed)
	if blocked.FailureReason != acmtypes.FailureReasonDomainNotAllowed {
		t.Errorf("a name that the authority rejects: %s", blocked.FailureReason)
	}
	if local := describe(request("shop.example.org")); local.Status != acmtypes.CertificateStatusIssued || strings.HasPrefix(*local.Issuer, "Pebble") {
		t.Errorf("a name of another domain is %s, by %s", local.Status, *local.Issuer)
	}
}
