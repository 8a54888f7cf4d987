package model

import "time"

// Cluster groups services and tasks.
type Cluster struct {
	ARN, Name string
	Status    string // "ACTIVE" or "INACTIVE"
	CreatedAt time.Time
	Settings  []Setting
	Tags      []Tag
}

// Setting is a named cluster setting, e.g. containerInsights = disabled.
type Setting struct {
	Name, Value string
}
