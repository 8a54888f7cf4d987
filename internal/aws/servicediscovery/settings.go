package servicediscovery

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"neargate/internal/aws/wire"
)

// refused are the settings that calls must not ask for.
func refused() []wire.Setting {
	const public = "HealthCheckConfig is for services of public DNS namespaces only. Use HealthCheckCustomConfig."
	return []wire.Setting{
		wire.RefusedAs[sdk.CreateServiceInput]("HealthCheckConfig", public),
		wire.RefusedAs[types.ServiceChange]("HealthCheckConfig", public),
		wire.Refused[sdk.DiscoverInstancesInput]("OwnerAccount"),
		wire.Refused[sdk.GetOperationInput]("OwnerAccount"),
	}
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	const once = "a change is made once, and the same again changes nothing"
	return []wire.Setting{
		wire.Kept[types.HealthCheckCustomConfig]("FailureThreshold", "AWS always uses 1 too"),
		wire.Kept[sdk.UpdatePrivateDnsNamespaceInput]("UpdaterRequestId", once),
		wire.Kept[sdk.UpdateHttpNamespaceInput]("UpdaterRequestId", once),
	}
}
