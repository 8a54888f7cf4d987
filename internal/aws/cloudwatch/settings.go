package cloudwatch

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/aws/wire"
)

// refused are the settings that calls must not ask for.
func refused() []wire.Setting {
	return []wire.Setting{
		wire.Refused[types.AlarmTagsPropagation]("Enabled"),
		wire.Refused[types.AlarmTagsPropagation]("ExcludedTagKeys"),
		wire.Refused[types.AlarmTagsPropagation]("IncludedTagKeys"),
		wire.Refused[types.EntityMetricData]("Entity"),
		wire.Refused[types.MetricDataQuery]("AccountId"),
		wire.Refused[types.WarmUpConfiguration]("OnlyStartEvaluatingAfterWarmUpPeriodEnds"),
		wire.Refused[types.WarmUpConfiguration]("WarmUpPeriodDurationInMinutes"),
		wire.Refused[cloudwatch.DescribeAlarmHistoryInput]("AlarmContributorId"),
		wire.Refused[cloudwatch.ListMetricsInput]("IncludeLinkedAccounts"),
		wire.Refused[cloudwatch.ListMetricsInput]("OwningAccount"),
	}
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	return []wire.Setting{
		wire.Kept[types.LabelOptions]("Timezone", "labels show no time"),
		wire.Kept[cloudwatch.PutMetricDataInput]("StrictEntityValidation", "there are no entities to validate"),
	}
}
