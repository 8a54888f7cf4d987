package scheduler

import (
	"slices"
	"strings"

	"neargate/internal/model"
)

// Platform is what containers are told of where they run, beside the region.
type Platform struct {
	// Metadata is the URL of the task metadata endpoint; "" where tasks reach
	// none, and so no credentials.
	Metadata string
	// Endpoints are variables that lead the SDKs to the services that answer
	// here.
	Endpoints []model.KeyValue
}

// endpointsTag, on a task definition or a service, says with "off" that tasks
// call AWS itself.
const endpointsTag = "neargate:endpoints"

// environment is what the platform adds to the environment of containers.
type environment struct {
	platform Platform
	region   string
	services services
}

// add sets what a task's containers do not set otherwise.
func (p environment) add(spec *model.TaskSpec, t model.Task, def model.TaskDefinition) {
	endpoints := p.platform.Endpoints
	if svc, _ := p.services.Service(t.Cluster, t.Service); off(def.Tags) || off(svc.Tags) {
		endpoints = nil
	}
	for i := range spec.Containers {
		c := &spec.Containers[i]
		own := elsewhere(c.Env)
		for _, kv := range p.ofContainer(t, def, i) {
			c.Env = setEnv(c.Env, kv)
		}
		if own {
			continue
		}
		for _, kv := range endpoints {
			c.Env = setEnv(c.Env, kv)
		}
	}
}

func off(tags []model.Tag) bool {
	return slices.ContainsFunc(tags, func(t model.Tag) bool { return t.Key == endpointsTag && strings.EqualFold(t.Value, "off") })
}

// elsewhere reports whether a container brings an endpoint or keys of its own:
// an endpoint of ours for a single service would come before its.
func elsewhere(env []model.KeyValue) bool {
	return slices.ContainsFunc(env, func(kv model.KeyValue) bool { return kv.Name == "AWS_ENDPOINT_URL" || kv.Name == "AWS_ACCESS_KEY_ID" })
}

// ofContainer is what Fargate sets in the i-th container of a task [ECS guide,
// "Task metadata endpoint", "Task IAM role"].
func (p environment) ofContainer(t model.Task, def model.TaskDefinition, i int) []model.KeyValue {
	env := []model.KeyValue{
		{Name: "AWS_EXECUTION_ENV", Value: "AWS_ECS_FARGATE"},
		{Name: "AWS_REGION", Value: p.region},
		{Name: "AWS_DEFAULT_REGION", Value: p.region},
	}
	if p.platform.Metadata == "" {
		return env
	}
	id := model.RuntimeID(t.ID, i)
	env = append(env,
		model.KeyValue{Name: "ECS_CONTAINER_METADATA_URI", Value: p.platform.Metadata + "/v3/" + id},
		model.KeyValue{Name: "ECS_CONTAINER_METADATA_URI_V4", Value: p.platform.Metadata + "/v4/" + id})
	env = append(env, model.KeyValue{Name: "ECS_AGENT_URI", Value: p.platform.Metadata + "/api/" + id})
	if t.Role(def) != "" {
		env = append(env, model.KeyValue{Name: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", Value: "/v2/credentials/" + t.CredentialsID()})
	}
	return env
}

// setEnv adds kv, unless a variable of the name is there.
func setEnv(env []model.KeyValue, kv model.KeyValue) []model.KeyValue {
	if slices.ContainsFunc(env, func(e model.KeyValue) bool { return e.Name == kv.Name }) {
		return env
	}
	return append(env, kv)
}
