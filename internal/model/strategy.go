package model

import "time"

// The kinds of strategies, in ECS's words.
const (
	Rolling   = "ROLLING"
	BlueGreen = "BLUE_GREEN"
	Linear    = "LINEAR"
	Canary    = "CANARY"
)

// Strategy is how a deployment goes from one service revision to the next.
type Strategy struct {
	Kind string // "" is ROLLING
	// Bake is how long both revisions run after the traffic has been shifted.
	Bake time.Duration
	// Step is the first share of production traffic that is shifted, in tenths of
	// a percent, with LINEAR also each further one; StepBake is the pause after it.
	Step     int
	StepBake time.Duration
	Hooks    []Hook
	Alarms   DeploymentAlarms
	Early    EarlySuccess
}

// Shifts reports whether the strategy runs two revisions side by side and shifts
// traffic between them.
func (s Strategy) Shifts() bool { return s.Kind != "" && s.Kind != Rolling }

// Hook pauses deployments at stages until somebody has them go on.
type Hook struct {
	Stages  []Stage
	Timeout time.Duration
	Action  string // when the time is over: PauseContinue or OrderRollback
}

// DeploymentAlarms fail a deployment when one of them is in ALARM.
type DeploymentAlarms struct {
	Names            []string
	Enable, Rollback bool
}

// EarlySuccess completes a rolling update before it has replaced everything.
type EarlySuccess struct {
	Enable         bool
	HealthyPercent int  // of the desired count, in the new revision
	Deferred       bool // old tasks are removed after the deployment has succeeded
}

// Stage is a lifecycle stage of a service deployment, in ECS's words.
type Stage string

// The stages, in their order.
const (
	StageReconcile          Stage = "RECONCILE_SERVICE"
	StagePreScaleUp         Stage = "PRE_SCALE_UP"
	StageScaleUp            Stage = "SCALE_UP"
	StagePostScaleUp        Stage = "POST_SCALE_UP"
	StageTestShift          Stage = "TEST_TRAFFIC_SHIFT"
	StagePostTestShift      Stage = "POST_TEST_TRAFFIC_SHIFT"
	StagePreProductionShift Stage = "PRE_PRODUCTION_TRAFFIC_SHIFT"
	StageProductionShift    Stage = "PRODUCTION_TRAFFIC_SHIFT"
	StagePostProduction     Stage = "POST_PRODUCTION_TRAFFIC_SHIFT"
	StageBake               Stage = "BAKE_TIME"
	StageCleanUp            Stage = "CLEAN_UP"
)

// Progress is how far a deployment has come. The zero value is a deployment that
// has not begun.
type Progress struct {
	Stage  Stage     `json:",omitempty"`
	Since  time.Time // when the stage began, or in the stage of the shift the last step was taken
	Shifts int       `json:",omitempty"` // steps of production traffic taken
	// Shifting is set while the next step is being taken.
	Shifting bool `json:",omitempty"`
	// Placed is set when the deployment's target groups are chosen.
	Placed bool `json:",omitempty"`
	// Source is the deployment from which traffic is shifted; "": there is none.
	Source string `json:",omitempty"`
	// Back is set in a deployment that goes back to an earlier revision.
	Back   bool    `json:",omitempty"`
	Pauses []Pause `json:",omitempty"` // of the stage, in the order of the hooks
	// Ordered is what a person has ordered: OrderRollback or OrderAbort.
	Ordered string `json:",omitempty"`
	// AlarmsOff is set when an alarm was in ALARM as the deployment began: alarms
	// are then not looked at.
	AlarmsOff bool `json:",omitempty"`
}

// What a person may order a deployment to do, in the words of
// StopServiceDeployment.
const (
	OrderRollback = "ROLLBACK"
	OrderAbort    = "ABORT"
)

// The states of a pause, in ECS's words.
const (
	PauseAwaiting  = "AWAITING_ACTION"
	PauseSucceeded = "SUCCEEDED"
	PauseFailed    = "FAILED"
	PauseTimedOut  = "TIMED_OUT"
)

// PauseContinue has a deployment go on after a pause.
const PauseContinue = "CONTINUE"

// Pause is a hook that a deployment has reached.
type Pause struct {
	ID        string // "ecs-pause-<43 letters, digits, - and _>"
	Status    string
	ExpiresAt time.Time
	Action    string // when it expires: PauseContinue or OrderRollback
}

// Advance is how far a deployment has come.
type Advance struct {
	Deployment string // ID
	From, To   Progress
	// LoadBalancers are the target groups of its tasks from now on; nil: as they
	// were.
	LoadBalancers []ServiceLoadBalancer
}

// DeploymentFailure is why a deployment ends badly.
type DeploymentFailure struct {
	RolloutReason string // of the deployment
	StatusReason  string // of the service deployment
	Tripped       bool   // the circuit breaker ended it
	Alarms        []string
	Rollback      bool // go back to the last revision that was deployed
}
