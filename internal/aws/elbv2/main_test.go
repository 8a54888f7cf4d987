package elbv2_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"neargate/internal/aws/elbv2"
	"neargate/internal/aws/wire"
	"neargate/internal/balancer"
	"neargate/internal/certs"
	"neargate/internal/model"
	"neargate/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var place = model.Place{Region: "us-east-1", Account: "000000000000"}

// anyone lets every request in: signatures are sigv4's business.
type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) { return wire.Caller{Place: place}, nil }, nil
}

// dial returns an SDK client of a face over a running balancer.
func dial(t *testing.T) *elb.Client {
	t.Helper()
	return dialWith(t, elbv2.Config{Place: place}, balancer.Config{Place: place})
}

// shelf is the configuration of a balancer whose listeners can have certificates
// under some ARNs.
func shelf(t *testing.T, arns ...string) balancer.Config {
	t.Helper()
	authority, err := certs.OpenAuthority(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	kept := kept{}
	for _, arn := range arns {
		cert, key, err := authority.Issue([]string{arn + ".test"}, time.Now(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		kept[arn] = &pair
	}
	return balancer.Config{Place: place, Certificates: kept}
}

// kept are certificates by ARN.
type kept map[string]*tls.Certificate

func (k kept) Certificate(arn string) (*tls.Certificate, error) {
	if pair, ok := k[arn]; ok {
		return pair, nil
	}
	return nil, model.Errorf(model.NotFound, "ResourceNotFoundException", "no %s", arn)
}

func dialWith(t *testing.T, face elbv2.Config, cfg balancer.Config) *elb.Client {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	b, err := balancer.New(db, log, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	server := httptest.NewServer(wire.NewHandler([]wire.Service{elbv2.New(b, face)}, anyone{}, wire.Config{Log: log}))
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return elb.New(elb.Options{
		Region: place.Region, BaseEndpoint: aws.String(server.URL), HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

// code returns the AWS code of an error, "" for none.
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func loadBalancerInput(name string) *elb.CreateLoadBalancerInput {
	return &elb.CreateLoadBalancerInput{
		Name: aws.String(name), Subnets: []string{"subnet-1", "subnet-2"}, SecurityGroups: []string{"sg-1"},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}},
	}
}

func targetGroupInput(name string) *elb.CreateTargetGroupInput {
	return &elb.CreateTargetGroupInput{
		Name: aws.String(name), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080),
		TargetType: types.TargetTypeEnumIp, VpcId: aws.String("vpc-00000001"),
	}
}

func freePort(t *testing.T) *int32 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return aws.Int32(int32(l.Addr().(*net.TCPAddr).Port))
}

func to(tg *string) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: tg}}
}
