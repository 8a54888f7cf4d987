package iam

import (
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"neargate/internal/aws/wire"
)

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	return []wire.Setting{
		wire.Kept[iam.ListAccessKeysInput]("Marker", "the answer is whole"),
		wire.Kept[iam.ListAccessKeysInput]("MaxItems", "the answer is whole"),
		wire.Kept[iam.ListPolicyVersionsInput]("Marker", "the answer is whole"),
		wire.Kept[iam.ListPolicyVersionsInput]("MaxItems", "the answer is whole"),
	}
}
