package ec2

import (
	"neargate/internal/aws/wire"
)

// refused are the settings that ask for what is not here.
func refused() []wire.Setting {
	return []wire.Setting{
		wire.Refused[createVpcInput]("Ipv6CidrBlock"),
		wire.Refused[createVpcInput]("Ipv6Pool"),
		wire.Refused[createVpcInput]("Ipv4IpamPoolID"),
		wire.Refused[createVpcInput]("Ipv6IpamPoolID"),
		wire.Refused[createSubnetInput]("OutpostArn"),
		wire.Refused[createSubnetInput]("Ipv6Native"),
		wire.Refused[createSubnetInput]("Ipv4IpamPoolID"),
		wire.Refused[createSubnetInput]("Ipv6IpamPoolID"),
		wire.Refused[modifySubnetAttributeInput]("CustomerOwnedIpv4Pool"),
		wire.Refused[allocateAddressInput]("Address"),
		wire.Refused[allocateAddressInput]("PublicIpv4Pool", "amazon"),
		wire.Refused[allocateAddressInput]("CustomerOwnedIpv4Pool"),
		wire.Refused[allocateAddressInput]("IpamPoolID"),
		wire.Refused[createNatGatewayInput]("SecondaryAllocationIDs"),
		wire.Refused[createNatGatewayInput]("SecondaryPrivateIPAddresses"),
		wire.Refused[createNatGatewayInput]("SecondaryPrivateIPAddressCount"),
		wire.Refused[createNatGatewayInput]("AvailabilityMode", "zonal"),
		wire.Refused[createNatGatewayInput]("VpcID"),
		wire.Refused[routeInput]("InstanceID"),
		wire.Refused[routeInput]("TransitGatewayID"),
		wire.Refused[routeInput]("VpcPeeringConnectionID"),
		wire.Refused[routeInput]("LocalGatewayID"),
		wire.Refused[routeInput]("CarrierGatewayID"),
		wire.Refused[routeInput]("CoreNetworkArn"),
		wire.Refused[routeInput]("LocalTarget"),
		wire.Refused[associateRouteTableInput]("PublicIpv4Pool"),
	}
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	return []wire.Setting{
		wire.Kept[groupPair]("UserID", "there is one account"),
		wire.Kept[describeAvailabilityZonesInput]("AllAvailabilityZones", "there are no zones but those shown"),
		wire.Kept[describeRegionsInput]("AllRegions", "there is one region"),
		wire.Kept[createVpcInput]("Ipv6CidrBlockNetworkBorderGroup", "there is one"),
		wire.Kept[allocateAddressInput]("NetworkBorderGroup", "there is one"),
		wire.Kept[releaseAddressInput]("NetworkBorderGroup", "there is one"),
		wire.Kept[modifySubnetAttributeInput]("MapCustomerOwnedIPOnLaunch", "there are no pools of a customer's own"),
	}
}
