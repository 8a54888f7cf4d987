package model

import (
	"net/netip"
	"time"
)

// ServiceConnect is how a service takes part in a Service Connect namespace: its
// tasks reach the namespace's endpoints, and offer those of Services.
type ServiceConnect struct {
	NamespaceARN, Namespace string // the name
	Services                []ConnectService
	// Given is the configuration as the caller gave it, in the JSON form of the
	// SDK's type.
	Given []byte
}

// Namespace is a namespace of Cloud Map.
type Namespace struct{ ARN, Name string }

// Targets are where a task of the service answers for endpoints.
func (c *ServiceConnect) Targets() []ConnectTarget {
	if c == nil {
		return nil
	}
	var all []ConnectTarget
	for _, s := range c.Services {
		all = append(all, ConnectTarget{DiscoveryARN: s.DiscoveryARN, ContainerPort: s.ContainerPort})
	}
	return all
}

// ConnectService is an endpoint that a service offers.
type ConnectService struct {
	PortName      string
	DiscoveryName string // "" is PortName
	DiscoveryARN  string // of Cloud Map's service
	DNSName       string // that clients use, "" is DISCOVERY.NAMESPACE
	Port          int    // that clients use; 0: it has no alias
	IngressPort   int    // as given; nothing here listens there
	// IdleTimeout and RequestTimeout are as given; nil is Service Connect's own
	// default, and 0 none at all.
	IdleTimeout, RequestTimeout *time.Duration

	// What the task definition says of the port.
	ContainerName string
	ContainerPort int
	Protocol      string // http, http2, grpc; "" is TCP
}

// Discovery is the name of the endpoint in its namespace.
func (s ConnectService) Discovery() string {
	if s.DiscoveryName != "" {
		return s.DiscoveryName
	}
	return s.PortName
}

// Alias is the name that clients use.
func (s ConnectService) Alias(namespace string) string {
	if s.DNSName != "" {
		return s.DNSName
	}
	return s.Discovery() + "." + namespace
}

// ConnectTarget is where a task answers for an endpoint.
type ConnectTarget struct {
	DiscoveryARN  string
	ContainerPort int
}

// HostName is a name that resolves in a task's containers.
type HostName struct {
	Name    string
	Address netip.Addr
}

// ConnectTraffic is what happened at one endpoint since the server started, but
// for the gauges. Counters only grow.
type ConnectTraffic struct {
	DiscoveryName    string
	Cluster, Service string // that offer it

	Requests    uint64
	NewConns    uint64
	ActiveConns int // gauge
	Bytes       uint64
	Targets     int // gauge
	Clients     []ConnectClientTraffic
}

// ConnectClientTraffic is what the tasks of one service did at an endpoint.
type ConnectClientTraffic struct {
	Cluster, Service string

	Requests     uint64
	Status       [6]uint64 // answers of targets by class: [2] is 2xx
	Bytes        uint64
	ResponseTime Buckets
}
