package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/aws/wire"
)

// getUser answers for the root that calls it; there are no IAM users here.
// Errors: NoSuchEntity, ValidationError.
func (s *IAM) getUser(ctx context.Context, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	if err := onlyRoot(ctx, in.UserName); err != nil {
		return nil, err
	}
	c := wire.CallerFrom(ctx)
	return &iam.GetUserOutput{User: &types.User{
		Arn: aws.String(c.ARN), UserId: aws.String(c.UserID), Path: aws.String("/"),
	}}, nil
}
