package ecs

import (
	"slices"
	"strings"

	"neargate/internal/model"
)

// Providers are a cluster's capacity providers and its default strategy.
type Providers struct {
	Names    []string
	Strategy []model.CapacityProviderShare
}

func (p Providers) check() error {
	if err := checkStrategy(p.Strategy); err != nil {
		return err
	}
	for _, name := range p.Names {
		if !fargateProvider(name) {
			return errProviderNotFound(name)
		}
	}
	for _, share := range p.Strategy {
		if !slices.Contains(p.Names, share.Provider) {
			return invalid("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.")
		}
	}
	return nil
}

func fargateProvider(name string) bool { return name == "FARGATE" || name == "FARGATE_SPOT" }

func checkStrategy(shares []model.CapacityProviderShare) error {
	for _, share := range shares {
		if !fargateProvider(share.Provider) {
			return errProviderNotFound(share.Provider)
		}
		if share.Base < 0 || share.Base > 100000 || share.Weight < 0 || share.Weight > 1000 {
			return invalid("Capacity provider base must be between 0 and 100,000 and weight between 0 and 1,000.")
		}
	}
	return nil
}

// checkSettings checks cluster settings and returns all there are, with the
// defaults of those that are not set.
func checkSettings(settings []model.Setting) ([]model.Setting, error) {
	insights := "disabled"
	for _, set := range settings {
		if set.Name != "containerInsights" {
			return nil, invalid("Invalid cluster setting name: %s", set.Name)
		}
		if !slices.Contains([]string{"disabled", "enabled", "enhanced"}, set.Value) {
			return nil, invalid("Invalid value for containerInsights: %s", set.Value)
		}
		insights = set.Value
	}
	return []model.Setting{{Name: "containerInsights", Value: insights}}, nil
}

// validName reports whether a cluster, service, family or container may have
// the name.
func validName(name string) bool {
	const allowed = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
	return name != "" && len(name) <= 255 && strings.Trim(name, allowed) == ""
}
