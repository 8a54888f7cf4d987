package ecr

import (
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"neargate/internal/aws/wire"
)

// refused are the settings that calls must not ask for.
func refused() []wire.Setting {
	return []wire.Setting{
		wire.Refused[ecr.GetLifecyclePolicyPreviewInput]("Filter"),
		wire.Refused[ecr.GetLifecyclePolicyPreviewInput]("ImageIds"),
		wire.Refused[types.EncryptionConfiguration]("KmsKey"),
		wire.Refused[types.ImageTagMutabilityExclusionFilter]("Filter"),
		wire.Refused[types.ImageTagMutabilityExclusionFilter]("FilterType"),
	}
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	return []wire.Setting{
		wire.Kept[ecr.GetLifecyclePolicyPreviewInput]("MaxResults", "the answer is whole"),
		wire.Kept[ecr.GetLifecyclePolicyPreviewInput]("NextToken", "the answer is whole"),
		wire.Kept[ecr.SetRepositoryPolicyInput]("Force", "policies of repositories are not enforced"),
		wire.Kept[ecr.BatchGetImageInput]("AcceptedMediaTypes", "an image has one manifest, which is answered"),
		wire.Kept[ecr.GetAuthorizationTokenInput]("RegistryIds", "there is one registry"),
	}
}
