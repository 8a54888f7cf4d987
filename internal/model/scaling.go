package model

import "time"

// ScalableTarget is a service whose desired count policies may move.
type ScalableTarget struct {
	ARN          string
	ID           string // 36 hex digits
	PolicyUUID   string // shared by its policies' ARNs
	Namespace    string // "ecs"
	ResourceID   string // "service/CLUSTER/SERVICE"
	Dimension    string // "ecs:service:DesiredCount"
	Min, Max     int
	RoleARN      string
	SuspendIn    bool
	SuspendOut   bool
	SuspendSched bool
	CreatedAt    time.Time
	Tags         []Tag     // neargate:timing = live | aws-60 | aws-20 sets its timing
	Service      time.Time // when its service was created: a later one of the name is another
}

// ScalingPolicy is a policy of a scalable target.
type ScalingPolicy struct {
	ARN, Name  string
	Namespace  string
	ResourceID string
	Dimension  string
	Type       string // "TargetTrackingScaling", "StepScaling" or "PredictiveScaling"
	Tracking   *TargetTracking
	Step       *StepScaling
	Predictive *Predictive
	AlarmNames []string // the alarms it made: high first, then low
	CreatedAt  time.Time
}

// TargetTracking is a target-tracking configuration.
type TargetTracking struct {
	Target          float64
	Predefined      string // e.g. "ECSServiceAverageCPUUtilization"; "" with a customized metric
	ResourceLabel   string
	Customized      *CustomizedMetric
	ScaleOut        time.Duration // cooldown
	ScaleIn         time.Duration // cooldown
	DisableScaleIn  bool
	ScaleOutDefined bool // the caller gave it; Describe echoes only what was given
	ScaleInDefined  bool
}

// StepScaling is a step scaling configuration.
type StepScaling struct {
	AdjustmentType  string // ChangeInCapacity, ExactCapacity or PercentChangeInCapacity
	Steps           []StepAdjustment
	MinMagnitude    *int   // least change, of percent only
	Aggregation     string // Average, Minimum or Maximum; "" is Average
	Cooldown        time.Duration
	CooldownDefined bool // the caller gave it
}

// StepAdjustment is how to scale while a metric is within an interval, which
// is relative to the alarm's threshold. Nil bounds are infinite.
type StepAdjustment struct {
	Lower, Upper *float64
	Adjustment   int
}

// CustomizedMetric is the customized metric of a target-tracking policy: a
// single one, or Metrics[].
type CustomizedMetric struct {
	Metric    MetricID
	Statistic string
	Unit      string
	Queries   []MetricQuery // instead of the above; without periods
}

// ScalingActivity is one attempt to scale, or one reason for not scaling.
type ScalingActivity struct {
	ID                   string
	Namespace            string
	ResourceID           string
	Dimension            string
	Description          string // "Setting desired count to 4."
	Cause                string
	StartedAt, EndedAt   time.Time
	Status               string // Pending, InProgress, Successful, Overridden, Unfulfilled or Failed
	StatusMessage        string
	Details              string // the reason, one sentence with its numbers
	NotScaled            []NotScaledReason
	FromCount, ToCount   int
	TriggeredByScheduled bool
}

// NotScaledReason says why an alarm or decision changed nothing.
type NotScaledReason struct {
	Code                  string
	Max, Min, CurrentSize int
}
