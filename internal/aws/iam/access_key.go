package iam

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/aws/wire"
	"neargate/internal/identity"
	"neargate/internal/model"
)

// rootKeys is the access keys of the account's root.
type rootKeys interface {
	List() []identity.Key
	Create() (identity.Key, error)
	Delete(accessKey string) error
}

// createAccessKey makes a second key for the root, to replace the first with.
// Errors: LimitExceeded, NoSuchEntity, ValidationError.
func (s *IAM) createAccessKey(ctx context.Context, in *iam.CreateAccessKeyInput) (*iam.CreateAccessKeyOutput, error) {
	if err := onlyRoot(ctx, in.UserName); err != nil {
		return nil, err
	}
	key, err := s.cfg.Keys.Create()
	if err != nil {
		return nil, err
	}
	return &iam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
		AccessKeyId: aws.String(key.AccessKey), SecretAccessKey: aws.String(key.SecretKey),
		Status: types.StatusTypeActive, CreateDate: aws.Time(key.Created),
	}}, nil
}

// deleteAccessKey takes a key of the root away; sessions and registry passwords
// that were had with it end. Errors: NoSuchEntity, DeleteConflict (of the last
// one), ValidationError.
func (s *IAM) deleteAccessKey(ctx context.Context, in *iam.DeleteAccessKeyInput) (*iam.DeleteAccessKeyOutput, error) {
	var c wire.Checks
	id := c.Text("accessKeyId", in.AccessKeyId, 16, 128)
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	if err := onlyRoot(ctx, in.UserName); err != nil {
		return nil, err
	}
	return &iam.DeleteAccessKeyOutput{}, s.cfg.Keys.Delete(id)
}

// listAccessKeys lists the root's keys; there are no more than a page has.
// Errors: NoSuchEntity, ValidationError.
func (s *IAM) listAccessKeys(ctx context.Context, in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	if err := onlyRoot(ctx, in.UserName); err != nil {
		return nil, err
	}
	out := &iam.ListAccessKeysOutput{}
	for _, key := range s.cfg.Keys.List() {
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, types.AccessKeyMetadata{
			AccessKeyId: aws.String(key.AccessKey), Status: types.StatusTypeActive, CreateDate: aws.Time(key.Created),
		})
	}
	return out, nil
}

// onlyRoot refuses what is asked of another user than the root that calls:
// there are no IAM users here.
func onlyRoot(ctx context.Context, user *string) error {
	if user != nil {
		return model.Errorf(model.NotFound, "NoSuchEntity", "The user with name %s cannot be found.", *user)
	}
	if !strings.HasSuffix(wire.CallerFrom(ctx).ARN, ":root") {
		return model.Errorf(model.Invalid, "ValidationError", "Must specify userName when calling with non-User credentials")
	}
	return nil
}
