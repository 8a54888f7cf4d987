package secretsmanager

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// getResourcePolicy: codes ValidationException, ResourceNotFoundException.
func (s *service) getResourcePolicy(_ context.Context, in *sdk.GetResourcePolicyInput) (*sdk.GetResourcePolicyOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	secret, err := s.secrets.Secret(id)
	if err != nil {
		return nil, err
	}
	return &sdk.GetResourcePolicyOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name), ResourcePolicy: text(secret.Policy)}, nil
}

// putResourcePolicy: codes ValidationException, MalformedPolicyDocumentException,
// ResourceNotFoundException, InvalidRequestException.
func (s *service) putResourcePolicy(ctx context.Context, in *sdk.PutResourcePolicyInput) (*sdk.PutResourcePolicyOutput, error) {
	var c wire.Checks
	id := c.Text("secretId", in.SecretId, 1, 2048)
	policy := c.Text("resourcePolicy", in.ResourcePolicy, 1, 20480)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if !json.Valid([]byte(policy)) {
		return nil, model.Errorf(model.Invalid, "MalformedPolicyDocumentException", "This resource policy contains a syntax error.")
	}
	secret, err := s.secrets.SetPolicy(ctx, id, policy)
	if err != nil {
		return nil, err
	}
	return &sdk.PutResourcePolicyOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name)}, nil
}

// deleteResourcePolicy: codes ValidationException, ResourceNotFoundException,
// InvalidRequestException.
func (s *service) deleteResourcePolicy(ctx context.Context, in *sdk.DeleteResourcePolicyInput) (*sdk.DeleteResourcePolicyOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	secret, err := s.secrets.SetPolicy(ctx, id, "")
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteResourcePolicyOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name)}, nil
}
