package ecs

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// MigrateTaskDefinition1 makes a task definition of version 1 into one of
// version 2. Version 1 kept, as Registered, the SDK's Go struct of the answer;
// version 2 keeps the request in AWS's field names.
func MigrateTaskDefinition1(old json.RawMessage) (json.RawMessage, error) {
	record, registered, err := takeOut(old, "Registered")
	if err != nil || registered == nil {
		return old, err
	}
	record["RegisteredBy"] = registered["registeredBy"]
	for _, answered := range []string{
		"taskDefinitionArn", "revision", "status", "registeredAt", "deregisteredAt", "registeredBy", "compatibilities", "requiresAttributes",
	} {
		delete(registered, answered)
	}
	return putBack(record, "Request", registered)
}

// MigrateCluster1 makes a cluster of version 1 into one of version 2. Version 1
// kept the configuration as the SDK's Go struct; version 2 keeps it in AWS's
// field names.
func MigrateCluster1(old json.RawMessage) (json.RawMessage, error) {
	record, configuration, err := takeOut(old, "Configuration")
	if err != nil || configuration == nil {
		return old, err
	}
	return putBack(record, "Configuration", configuration)
}

// takeOut reads a record and the SDK's struct that one of its fields holds, in
// AWS's field names; nil when the field holds none.
func takeOut(old json.RawMessage, field string) (record, inner map[string]any, err error) {
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(old, &whole); err != nil {
		return nil, nil, err
	}
	var data []byte // in base64, as Go writes bytes
	if err := json.Unmarshal(whole[field], &data); err != nil && whole[field] != nil {
		return nil, nil, fmt.Errorf("%s: %w", field, err)
	}
	delete(whole, field)
	record = map[string]any{}
	for name, value := range whole {
		record[name] = value
	}
	if len(data) == 0 {
		return record, nil, nil
	}
	if err := json.Unmarshal(data, &inner); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", field, err)
	}
	inner, _ = awsNames(inner).(map[string]any)
	return record, inner, nil
}

func putBack(record map[string]any, field string, inner map[string]any) (json.RawMessage, error) {
	data, err := json.Marshal(inner)
	if err != nil {
		return nil, err
	}
	record[field] = data
	return json.Marshal(record)
}

// awsNames turns the field names of Go into those of AWS and drops what is not
// set. The keys of maps are the user's and stay.
func awsNames(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			switch {
			case value == nil:
			case slices.Contains([]string{"Options", "DockerLabels", "DriverOpts", "Labels"}, name):
				out[lowerFirst(name)] = value
			default:
				out[lowerFirst(name)] = awsNames(value)
			}
		}
		return out
	case []any:
		for i := range v {
			v[i] = awsNames(v[i])
		}
	}
	return tree
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}
