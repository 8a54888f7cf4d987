package sts

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// getSessionToken issues the caller temporary credentials for itself: 12 hours,
// for the root at most one. Errors: ValidationError, AccessDenied.
func (s *STS) getSessionToken(ctx context.Context, in *sts.GetSessionTokenInput) (*sts.GetSessionTokenOutput, error) {
	caller := wire.CallerFrom(ctx)
	if _, root := s.cfg.Keys.Secret(caller.AccessKey); !root {
		return nil, model.Errorf(model.Denied, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	}
	var c wire.Checks
	seconds := c.Range("durationSeconds", in.DurationSeconds, 900, 129600, 3600)
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	creds, err := s.issue(ctx, caller, credential{ARN: caller.ARN, UserID: caller.UserID}, time.Duration(min(seconds, 3600))*time.Second)
	if err != nil {
		return nil, err
	}
	return &sts.GetSessionTokenOutput{Credentials: creds.answer()}, nil
}

// maxChained is the longest session that a role's session may ask for [IAM
// guide, "Role chaining"].
const maxChained = time.Hour

// assumeRole issues temporary credentials for a role. Errors: ValidationError,
// AccessDenied.
func (s *STS) assumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	caller := wire.CallerFrom(ctx)
	var c wire.Checks
	arn := c.Text("roleArn", in.RoleArn, 20, 2048)
	session := c.Text("roleSessionName", in.RoleSessionName, 2, 64)
	if strings.ContainsFunc(session, notInSessionName) {
		c.Fail("roleSessionName", "'"+session+"'", `Member must satisfy regular expression pattern: [\w+=,.@-]*`)
	}
	seconds := c.Range("durationSeconds", in.DurationSeconds, 900, 43200, 3600)
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	role, ok := model.ParseARN(arn)
	if !ok || role.Service != "iam" || !strings.HasPrefix(role.Resource, "role/") {
		return nil, model.Errorf(model.Invalid, "ValidationError", "%s is invalid", arn)
	}
	roleID, longest, ok := s.roles.AssumableRole(arn)
	if !ok {
		return nil, model.Errorf(model.Denied, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", caller.ARN, arn)
	}
	lives := time.Duration(seconds) * time.Second
	if by, ok := s.issued.Get(caller.AccessKey); ok && by.RoleID != "" && lives > maxChained {
		return nil, model.Errorf(model.Invalid, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	if lives > longest {
		return nil, model.Errorf(model.Invalid, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	name := role.Resource[strings.LastIndexByte(role.Resource, '/')+1:]
	user := types.AssumedRoleUser{
		Arn:           aws.String("arn:aws:sts::" + s.cfg.Place.Account + ":assumed-role/" + name + "/" + session),
		AssumedRoleId: aws.String(roleID + ":" + session),
	}
	creds, err := s.issue(ctx, caller, credential{ARN: *user.Arn, UserID: *user.AssumedRoleId, Role: name, RoleID: roleID}, lives)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleOutput{AssumedRoleUser: &user, Credentials: creds.answer(), SourceIdentity: in.SourceIdentity}, nil
}

func notInSessionName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_+=,.@-", r)
}
