package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"neargate/internal/aws/wire"
	"neargate/internal/secrets"
)

// putParameter: codes ValidationException, AccessDeniedException,
// ParameterAlreadyExists, ParameterPatternMismatchException,
// InvalidAllowedPatternException, HierarchyTypeMismatchException,
// HierarchyLevelLimitExceededException, ParameterMaxVersionLimitExceeded,
// TooManyTagsError.
func (s *service) putParameter(ctx context.Context, in *sdk.PutParameterInput) (*sdk.PutParameterOutput, error) {
	name, err := parameterName(in.Name)
	if err != nil {
		return nil, err
	}
	if err := secrets.CheckName(name); err != nil {
		return nil, err
	}
	var c wire.Checks
	c.Required("value", in.Value != nil)
	if in.Value != nil && *in.Value == "" {
		c.Fail("value", "''", "Member must have length greater than or equal to 1")
	}
	c.OneOf("type", string(in.Type), "SecureString", "StringList", "String")
	c.OneOf("tier", string(in.Tier), "Advanced", "Intelligent-Tiering", "Standard")
	c.OptionalText("description", in.Description, 0, 1024)
	c.OptionalText("allowedPattern", in.AllowedPattern, 0, 1024)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	overwrite := aws.ToBool(in.Overwrite)
	if overwrite && len(tags) > 0 {
		return nil, invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	}
	version, err := s.parameters.Put(ctx, secrets.NewParameter{
		Name: name, Value: *in.Value, Overwrite: overwrite, Tags: tags,
		Version: secrets.ParameterVersion{
			Type: string(in.Type), Tier: string(in.Tier), KeyID: aws.ToString(in.KeyId), DataType: aws.ToString(in.DataType),
			Description: aws.ToString(in.Description), AllowedPattern: aws.ToString(in.AllowedPattern), ModifiedBy: wire.CallerFrom(ctx).ARN,
		},
	})
	if err != nil {
		return nil, err
	}
	return &sdk.PutParameterOutput{Version: version.Number, Tier: types.ParameterTier(version.Tier)}, nil
}
