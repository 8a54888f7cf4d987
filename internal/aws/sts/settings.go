package sts

import (
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"neargate/internal/aws/wire"
)

// refused are the settings that calls must not ask for.
func refused() []wire.Setting {
	return []wire.Setting{
		wire.Refused[sts.AssumeRoleInput]("Policy"),
		wire.Refused[sts.AssumeRoleInput]("PolicyArns"),
		wire.Refused[sts.AssumeRoleInput]("ProvidedContexts"),
		wire.Refused[sts.AssumeRoleInput]("SerialNumber"),
		wire.Refused[sts.AssumeRoleInput]("TokenCode"),
		wire.Refused[sts.GetSessionTokenInput]("SerialNumber"),
		wire.Refused[sts.GetSessionTokenInput]("TokenCode"),
	}
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	return []wire.Setting{
		wire.Kept[sts.AssumeRoleInput]("ExternalId", "trust policies are kept, not enforced"),
		wire.Kept[sts.AssumeRoleInput]("MinimumSessionTokenSize", "tokens are short"),
		wire.Kept[sts.AssumeRoleInput]("SourceIdentity", "no policy reads it"),
		wire.Kept[sts.AssumeRoleInput]("Tags", "no policy reads session tags"),
		wire.Kept[sts.AssumeRoleInput]("TransitiveTagKeys", "no policy reads session tags"),
		wire.Kept[sts.GetSessionTokenInput]("MinimumSessionTokenSize", "tokens are short"),
	}
}
