package model

import "time"

// DiscoveryNamespace is a namespace of Cloud Map: names of services, found by its API and,
// if it has a DNS zone, by DNS.
type DiscoveryNamespace struct {
	ID, ARN, Name    string
	Type             string // DNS_PRIVATE or HTTP
	Description      string
	VpcID            string // of DNS_PRIVATE
	HostedZoneID     string // the same
	NegativeTTL      time.Duration
	CreatorRequestID string
	CreatedAt        time.Time
	Tags             []Tag
}

// DiscoveryService is a service of Cloud Map: the names of its instances.
type DiscoveryService struct {
	ID, ARN, Name    string
	NamespaceID      string
	Type             string // DNS_HTTP or HTTP
	Description      string
	Records          []DiscoveryRecord
	RoutingPolicy    string // MULTIVALUE or WEIGHTED, with Records
	CustomHealth     bool   // whoever registers an instance says whether it is healthy
	FailureThreshold int    // kept, as on AWS, where it is 1
	CreatorRequestID string
	CreatedAt        time.Time
	Tags             []Tag
}

// DiscoveryRecord is a type of DNS record that every instance of a service has.
type DiscoveryRecord struct {
	Type string // A, AAAA, SRV or CNAME
	TTL  time.Duration
}

// Instance is an instance of a service of Cloud Map.
type Instance struct {
	ID, ServiceID    string
	Attributes       map[string]string
	CreatorRequestID string
	Unhealthy        bool // by whoever registered it
}

// The attributes of instances that mean something to Cloud Map.
const (
	InstanceIPv4   = "AWS_INSTANCE_IPV4"
	InstanceIPv6   = "AWS_INSTANCE_IPV6"
	InstancePort   = "AWS_INSTANCE_PORT"
	InstanceCNAME  = "AWS_INSTANCE_CNAME"
	InstanceAlias  = "AWS_ALIAS_DNS_NAME"
	InstanceHealth = "AWS_INIT_HEALTH_STATUS"
)

// NamespaceARN is arn:aws:servicediscovery:R:A:namespace/ID.
func (p Place) NamespaceARN(id string) string { return p.arn("servicediscovery", "namespace/"+id) }

// RegistryARN is arn:aws:servicediscovery:R:A:service/ID.
func (p Place) RegistryARN(id string) string { return p.arn("servicediscovery", "service/"+id) }
