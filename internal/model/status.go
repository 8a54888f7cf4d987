package model

// Status is the state of a cluster, a service, a deployment or a task
// definition in ECS's words.
type Status string

// The states. Clusters are ACTIVE or INACTIVE, services also DRAINING, task
// definitions also DELETE_IN_PROGRESS; the newest deployment is PRIMARY, the
// ones it replaces are ACTIVE.
const (
	Active           Status = "ACTIVE"
	Draining         Status = "DRAINING"
	Inactive         Status = "INACTIVE"
	DeleteInProgress Status = "DELETE_IN_PROGRESS"
	Primary          Status = "PRIMARY"
)
