package model

import "time"

// Cluster groups services and tasks.
type Cluster struct {
	ARN, Name string
	Status    Status // ACTIVE or INACTIVE
	CreatedAt time.Time
	Settings  []Setting
	Tags      []Tag

	CapacityProviders []string // FARGATE, FARGATE_SPOT
	DefaultStrategy   []CapacityProviderShare
	// Configuration is the cluster's configuration as the caller gave it, in
	// the JSON form of the SDK's type; nil: none.
	Configuration []byte
	// ConnectNamespace is that of services that turn Service Connect on and name
	// none; zero: none.
	ConnectNamespace Namespace
}

// CapacityProviderShare is one item of a capacity provider strategy.
type CapacityProviderShare struct {
	Provider     string
	Base, Weight int
}

// Setting is a named cluster setting, e.g. containerInsights = disabled.
type Setting struct {
	Name, Value string
}
