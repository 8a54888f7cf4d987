package secretsmanager

import (
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"neargate/internal/aws/wire"
)

// refused are the settings that calls must not ask for.
func refused() []wire.Setting {
	return []wire.Setting{
		wire.Refused[secretsmanager.CreateSecretInput]("AddReplicaRegions"),
		wire.Refused[secretsmanager.CreateSecretInput]("Type"),
		wire.Refused[secretsmanager.UpdateSecretInput]("Type"),
		wire.Refused[secretsmanager.PutSecretValueInput]("RotationToken"),
	}
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	const (
		oneKey = "kept and described; values are encrypted with the server's own key"
		noRole = "kept and answered; policies of resources are not enforced"
	)
	return []wire.Setting{
		wire.Kept[secretsmanager.CreateSecretInput]("ForceOverwriteReplicaSecret", "there is one region"),
		wire.Kept[secretsmanager.CreateSecretInput]("KmsKeyId", oneKey),
		wire.Kept[secretsmanager.UpdateSecretInput]("KmsKeyId", oneKey),
		wire.Kept[secretsmanager.PutResourcePolicyInput]("BlockPublicPolicy", noRole),
		wire.Kept[secretsmanager.PutResourcePolicyInput]("ResourcePolicy", noRole),
	}
}
