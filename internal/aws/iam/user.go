package iam

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// getUser answers for the root that calls it; there are no IAM users here.
// Errors: NoSuchEntity, ValidationError.
func (s *IAM) getUser(ctx context.Context, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	if in.UserName != nil {
		return nil, model.Errorf(model.NotFound, "NoSuchEntity", "The user with name %s cannot be found.", *in.UserName)
	}
	c := wire.CallerFrom(ctx)
	if !strings.HasSuffix(c.ARN, ":root") {
		return nil, model.Errorf(model.Invalid, "ValidationError", "Must specify userName when calling with non-User credentials")
	}
	return &iam.GetUserOutput{User: &types.User{
		Arn: aws.String(c.ARN), UserId: aws.String(c.UserID), Path: aws.String("/"),
	}}, nil
}
