package ssm

import (
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"neargate/internal/aws/wire"
)

// refused are the settings that calls must not ask for.
func refused() []wire.Setting {
	return []wire.Setting{
		wire.Refused[ssm.PutParameterInput]("Policies"),
		wire.Refused[ssm.DescribeParametersInput]("Shared"),
	}
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	return []wire.Setting{
		wire.Kept[ssm.PutParameterInput]("KeyId", "kept and described; values are encrypted with the server's own key"),
		wire.Kept[ssm.PutParameterInput]("DataType", "kept and described; no value is checked against EC2 or an integration"),
	}
}
