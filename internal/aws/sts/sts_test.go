package sts_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"neargate/internal/aws/sigv4"
	"neargate/internal/aws/sts"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/store"
)

// oneRole knows the role "deploy", whose sessions last two hours at most, with
// a unique id that tests change.
type oneRole struct{ id atomic.Pointer[string] }

func (r *oneRole) AssumableRole(arn string) (string, time.Duration, bool) {
	return *r.id.Load(), 2 * time.Hour, arn == "arn:aws:iam::000000000000:role/deploy"
}

func (r *oneRole) Trusts(_, service string) bool { return service == "ecs-tasks.amazonaws.com" }

func (r *oneRole) HasRole(name, id string) bool { return name == "deploy" && id == *r.id.Load() }

// ring is the root's keys, of which tests take some away.
type ring struct{ sync.Map }

func (r *ring) Secret(accessKey string) (string, bool) {
	secret, ok := r.Load(accessKey)
	text, _ := secret.(string)
	return text, ok
}

// server is STS on a socket, with a clock that tests move.
type server struct {
	url   string
	ahead atomic.Int64 // nanoseconds before the real clock
	role  oneRole
	keys  ring
	ended sync.Map // tasks
	sts   *sts.STS
}

func start(t *testing.T, path string) (s *server, stop func()) {
	t.Helper()
	db, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s = &server{}
	now := func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }
	s.role.id.Store(aws.String("AROAEXAMPLE"))
	s.keys.Store("AKIAROOT", "root/secret")
	s.keys.Store("AKIASECOND", "root/secret")
	face, err := sts.Open(db, &s.role, sts.Config{
		Place: model.Place{Region: "us-east-1", Account: "000000000000"}, Keys: &s.keys, Now: now,
		TaskLives: func(task string) bool { _, ended := s.ended.Load(task); return !ended },
	})
	s.sts = face
	if err != nil {
		t.Fatal(err)
	}
	h := wire.NewHandler([]wire.Service{sts.New(face)}, sigv4.New(face, sigv4.Config{Region: "us-east-1", Now: now}), wire.Config{Log: slog.New(slog.DiscardHandler)})
	srv := httptest.NewServer(h)
	s.url = srv.URL
	return s, func() { srv.Close(); _ = db.Close() }
}

func newServer(t *testing.T) *server {
	t.Helper()
	s, stop := start(t, filepath.Join(t.TempDir(), "state.db"))
	t.Cleanup(stop)
	return s
}

func (s *server) client(key, secret, token string) *sdk.Client {
	return sdk.New(sdk.Options{
		BaseEndpoint: &s.url, Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, token),
	})
}

func (s *server) root() *sdk.Client { return s.client("AKIAROOT", "root/secret", "") }

func (s *server) with(c *types.Credentials) *sdk.Client {
	return s.client(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// identity asks who the client is: "ARN USERID" or the error's code.
func identity(t *testing.T, c *sdk.Client) string {
	t.Helper()
	out, err := c.GetCallerIdentity(t.Context(), &sdk.GetCallerIdentityInput{})
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return *out.Arn + " " + *out.UserId
}

func TestTemporaryCredentialsSignUntilTheyExpire(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, stop := start(t, path)
	out, err := s.root().AssumeRole(t.Context(), &sdk.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::000000000000:role/deploy"), RoleSessionName: aws.String("ci@x"), DurationSeconds: aws.Int32(1800),
	})
	if err != nil {
		t.Fatal(err)
	}
	creds := out.Credentials
	if left := time.Until(*creds.Expiration); left > 30*time.Minute || left < 29*time.Minute {
		t.Errorf("expires in %s, want 30 min", left)
	}
	stop()
	s, stop = start(t, path)
	defer stop()
	for _, row := range []struct {
		situation, want string
		after           time.Duration
		client          *sdk.Client
	}{
		{"root", "arn:aws:iam::000000000000:root 000000000000", 0, s.root()},
		{"after a restart", "arn:aws:sts::000000000000:assumed-role/deploy/ci@x AROAEXAMPLE:ci@x", 0, s.with(creds)},
		{"without its token", "InvalidClientTokenId", 0, s.client(*creds.AccessKeyId, *creds.SecretAccessKey, "")},
		{"with another's token", "InvalidClientTokenId", 0, s.client(*creds.AccessKeyId, *creds.SecretAccessKey, "x")},
		{"with a wrong secret", "SignatureDoesNotMatch", 0, s.client(*creds.AccessKeyId, "x", *creds.SessionToken)},
		{"with an unknown key", "InvalidClientTokenId", 0, s.client("ASIANOBODY", "x", "")},
		{"expired", "ExpiredToken", 30 * time.Minute, s.with(creds)},
	} {
		s.ahead.Store(int64(row.after))
		if got := identity(t, row.client); got != row.want {
			t.Errorf("%s: %s, want %s", row.situation, got, row.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	s := newServer(t)
	role := aws.String("arn:aws:iam::000000000000:role/deploy")
	session := aws.String("ci")
	out, err := s.root().GetSessionToken(t.Context(), &sdk.GetSessionTokenInput{DurationSeconds: aws.Int32(900)})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		run       func(c *sdk.Client) error
		code, msg string
	}{
		"unknown role": {func(c *sdk.Client) error {
			_, err := c.AssumeRole(t.Context(), &sdk.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:role/no"), RoleSessionName: session})
			return err
		}, "AccessDenied", "User: arn:aws:iam::000000000000:root is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/no"},
		"no role ARN": {func(c *sdk.Client) error {
			_, err := c.AssumeRole(t.Context(), &sdk.AssumeRoleInput{RoleArn: aws.String("arn:aws:s3:::bucket/deploy"), RoleSessionName: session})
			return err
		}, "ValidationError", "arn:aws:s3:::bucket/deploy is invalid"},
		"odd session name": {func(c *sdk.Client) error {
			_, err := c.AssumeRole(t.Context(), &sdk.AssumeRoleInput{RoleArn: role, RoleSessionName: aws.String("a b")})
			return err
		}, "ValidationError", `1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`},
		"too long for AWS": {func(c *sdk.Client) error {
			_, err := c.AssumeRole(t.Context(), &sdk.AssumeRoleInput{RoleArn: role, RoleSessionName: session, DurationSeconds: aws.Int32(50000)})
			return err
		}, "ValidationError", "1 validation error detected: Value '50000' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200"},
		"too long for the role": {func(c *sdk.Client) error {
			_, err := c.AssumeRole(t.Context(), &sdk.AssumeRoleInput{RoleArn: role, RoleSessionName: session, DurationSeconds: aws.Int32(7201)})
			return err
		}, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		"unknown key's account": {func(c *sdk.Client) error {
			_, err := c.GetAccessKeyInfo(t.Context(), &sdk.GetAccessKeyInfoInput{AccessKeyId: aws.String("AKIANOBODY")})
			return err
		}, "ValidationError", "Invalid Access Key ID."},
		"session from a session": {func(*sdk.Client) error {
			_, err := s.with(out.Credentials).GetSessionToken(t.Context(), &sdk.GetSessionTokenInput{})
			return err
		}, "AccessDenied", "Cannot call GetSessionToken with session credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			api, ok := errors.AsType[smithy.APIError](row.run(s.root()))
			if !ok || api.ErrorCode() != row.code || api.ErrorMessage() != row.msg {
				t.Errorf("got  %v\nwant %s: %s", api, row.code, row.msg)
			}
		})
	}
}

func TestGetAccessKeyInfoTellsTheAccount(t *testing.T) {
	s := newServer(t)
	out, err := s.root().GetAccessKeyInfo(t.Context(), &sdk.GetAccessKeyInfoInput{AccessKeyId: aws.String("AKIAROOT")})
	if err != nil || *out.Account != "000000000000" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestPresignedGetIsLetIn(t *testing.T) {
	s := newServer(t)
	signed, err := sdk.NewPresignClient(s.root()).PresignGetCallerIdentity(t.Context(), &sdk.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := new(http.Client).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s %s: %s", signed.Method, signed.URL, res.Status)
	}
}

// TestCommandLineClients runs the AWS CLIs that are installed.
func TestCommandLineClients(t *testing.T) {
	if testing.Short() {
		t.Skip("needs time: each command of an AWS CLI takes half a second of CPU")
	}
	s := newServer(t)
	for _, cli := range []string{"/usr/bin/aws", "/root/.pyenv/shims/aws"} {
		t.Run(cli, func(t *testing.T) {
			if _, err := os.Stat(cli); err != nil {
				t.Skipf("needs the AWS CLI at %s: %v", cli, err)
			}
			run := func(secret string, args ...string) string {
				cmd := exec.CommandContext(t.Context(), cli, append(args, "--endpoint-url", s.url, "--output", "text")...)
				cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAROOT", "AWS_SECRET_ACCESS_KEY="+secret, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "HOME="+t.TempDir())
				out, _ := cmd.CombinedOutput()
				return strings.TrimSpace(string(out))
			}
			got := run("root/secret", "sts", "get-caller-identity")
			if diff := cmp.Diff("000000000000\tarn:aws:iam::000000000000:root\t000000000000", got); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			got = run("wrong", "sts", "get-caller-identity")
			if !strings.Contains(got, "(SignatureDoesNotMatch) when calling the GetCallerIdentity operation: The request signature we calculated") {
				t.Errorf("wrong secret: %s", got)
			}
		})
	}
}
