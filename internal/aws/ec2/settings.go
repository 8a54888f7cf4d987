package ec2

import (
	"neargate/internal/aws/wire"
)

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	return []wire.Setting{
		wire.Kept[groupPair]("UserID", "there is one account"),
		wire.Kept[describeAvailabilityZonesInput]("AllAvailabilityZones", "there are no zones but those shown"),
		wire.Kept[describeRegionsInput]("AllRegions", "there is one region"),
		wire.Kept[describeInternetGatewaysInput]("MaxResults", "the answer is whole"),
		wire.Kept[describeInternetGatewaysInput]("NextToken", "the answer is whole"),
		wire.Kept[describeRouteTablesInput]("MaxResults", "the answer is whole"),
		wire.Kept[describeRouteTablesInput]("NextToken", "the answer is whole"),
		wire.Kept[describeVpcsInput]("MaxResults", "the answer is whole"),
		wire.Kept[describeVpcsInput]("NextToken", "the answer is whole"),
	}
}
