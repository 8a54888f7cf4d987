package sts_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

func assume(t *testing.T, by *sdk.Client, seconds int32) *types.Credentials {
	t.Helper()
	out, err := by.AssumeRole(t.Context(), &sdk.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::000000000000:role/deploy"), RoleSessionName: aws.String("ci"), DurationSeconds: &seconds,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Credentials
}

// code returns the error code with which credentials are refused, or "".
func (s *server) code(t *testing.T, c *types.Credentials) string {
	t.Helper()
	_, err := s.with(c).GetCallerIdentity(t.Context(), &sdk.GetCallerIdentityInput{})
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return ""
}

func TestSessionsEndWithTheirRole(t *testing.T) {
	s := newServer(t)
	session := assume(t, s.root(), 900)
	chained := assume(t, s.with(session), 900)
	if !s.sts.Lives(*session.AccessKeyId) {
		t.Error("the session's registry passwords are refused while it lives")
	}
	s.role.id.Store(aws.String("AROAOTHER")) // deleted, and made again
	for _, c := range []*types.Credentials{session, chained} {
		if code := s.code(t, c); code != "InvalidClientTokenId" {
			t.Errorf("after its role: %q, want InvalidClientTokenId", code)
		}
		if s.sts.Lives(*c.AccessKeyId) {
			t.Error("registry passwords outlive the role")
		}
	}
	if code := s.code(t, assume(t, s.root(), 900)); code != "" {
		t.Errorf("a session of the new role: %q", code)
	}
}

func TestSessionsEndWithTheRootsKey(t *testing.T) {
	s := newServer(t)
	token, err := s.root().GetSessionToken(t.Context(), &sdk.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	session := assume(t, s.root(), 900)
	chained := assume(t, s.with(session), 900)
	other := assume(t, s.client("AKIASECOND", "root/secret", ""), 900)
	s.keys.Delete("AKIAROOT")
	for name, c := range map[string]*types.Credentials{"token": token.Credentials, "session": session, "chained": chained} {
		if code := s.code(t, c); code != "InvalidClientTokenId" {
			t.Errorf("%s: %q, want InvalidClientTokenId", name, code)
		}
		if s.sts.Lives(*c.AccessKeyId) {
			t.Errorf("%s: registry passwords outlive the key", name)
		}
	}
	if code := s.code(t, other); code != "" {
		t.Errorf("a session of the other key: %q", code)
	}
	if s.sts.Lives("AKIAROOT") || !s.sts.Lives("AKIASECOND") {
		t.Error("registry passwords do not follow the root's keys")
	}
}

func TestRoleChainingIsBoundedToAnHour(t *testing.T) {
	s := newServer(t)
	session := assume(t, s.root(), 7200)
	assume(t, s.with(session), 3600)
	_, err := s.with(session).AssumeRole(t.Context(), &sdk.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::000000000000:role/deploy"), RoleSessionName: aws.String("ci"), DurationSeconds: aws.Int32(3601),
	})
	if err == nil || !strings.Contains(err.Error(), "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.") {
		t.Errorf("got %v", err)
	}
}
