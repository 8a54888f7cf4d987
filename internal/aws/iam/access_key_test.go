package iam_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"neargate/internal/identity"
)

func openKeys(t *testing.T) *identity.Keys {
	t.Helper()
	keys, err := identity.Open(filepath.Join(t.TempDir(), "keys.json"), time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestRootReplacesItsAccessKey(t *testing.T) {
	c := newClient(t)
	code := func(err error) string {
		e, _ := errors.AsType[smithy.APIError](err)
		if e == nil {
			return ""
		}
		return e.ErrorCode()
	}
	first, err := c.ListAccessKeys(t.Context(), &sdk.ListAccessKeysInput{})
	if err != nil || len(first.AccessKeyMetadata) != 1 {
		t.Fatalf("%v, %v, want one key", first, err)
	}
	made, err := c.CreateAccessKey(t.Context(), &sdk.CreateAccessKeyInput{})
	if err != nil || len(*made.AccessKey.AccessKeyId) != 20 || len(*made.AccessKey.SecretAccessKey) != 40 {
		t.Fatalf("%v, %v", made, err)
	}
	if _, err := c.CreateAccessKey(t.Context(), &sdk.CreateAccessKeyInput{}); code(err) != "LimitExceeded" {
		t.Errorf("a third key: %v, want LimitExceeded", err)
	}
	if _, err := c.DeleteAccessKey(t.Context(), &sdk.DeleteAccessKeyInput{AccessKeyId: first.AccessKeyMetadata[0].AccessKeyId}); err != nil {
		t.Error(err)
	}
	if _, err := c.DeleteAccessKey(t.Context(), &sdk.DeleteAccessKeyInput{AccessKeyId: first.AccessKeyMetadata[0].AccessKeyId}); code(err) != "NoSuchEntity" {
		t.Errorf("deleted twice: %v, want NoSuchEntity", err)
	}
	if _, err := c.DeleteAccessKey(t.Context(), &sdk.DeleteAccessKeyInput{AccessKeyId: made.AccessKey.AccessKeyId}); code(err) != "DeleteConflict" {
		t.Errorf("the last one: %v, want DeleteConflict", err)
	}
	if _, err := c.CreateAccessKey(t.Context(), &sdk.CreateAccessKeyInput{UserName: aws.String("me")}); code(err) != "NoSuchEntity" {
		t.Errorf("of a user: %v, want NoSuchEntity", err)
	}
}
