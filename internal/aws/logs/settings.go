package logs

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"neargate/internal/aws/wire"
)

// refused are the settings that calls must not ask for.
func refused() []wire.Setting {
	return []wire.Setting{
		wire.Refused[cloudwatchlogs.DescribeLogGroupsInput]("AccountIdentifiers"),
		wire.Refused[cloudwatchlogs.DescribeLogGroupsInput]("IncludeLinkedAccounts"),
	}
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	return []wire.Setting{
		wire.Kept[types.Entity]("Attributes", "log events belong to no entity"),
		wire.Kept[types.Entity]("KeyAttributes", "log events belong to no entity"),
		wire.Kept[cloudwatchlogs.FilterLogEventsInput]("Interleaved", "events of several streams are always interleaved, as on AWS since 2019"),
		wire.Kept[cloudwatchlogs.FilterLogEventsInput]("Unmask", "nothing is masked"),
		wire.Kept[cloudwatchlogs.GetLogEventsInput]("Unmask", "nothing is masked"),
		wire.Kept[cloudwatchlogs.PutLogEventsInput]("SequenceToken", "AWS ignores it too"),
	}
}
