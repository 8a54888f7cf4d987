package model

import (
	"net/netip"
	"time"
)

// LoadBalancer is an application load balancer.
type LoadBalancer struct {
	ARN, Name, ID  string
	DNSName        string
	Address        string     // its own loopback address, 127.x.y.z
	Source         netip.Addr `json:",omitzero"` // in the targets' network, kept over restarts; zero: none
	Scheme         string     // "internet-facing" or "internal"
	State          string     // "provisioning", "active" or "failed"
	StateReason    string
	IPAddressType  string
	VpcID          string
	Subnets        []string
	SecurityGroups []string
	Attributes     map[string]string // every attribute, defaults included
	CreatedAt      time.Time
	Tags           []Tag
}

// Listener takes connections on a port of a load balancer.
type Listener struct {
	ARN, LoadBalancerARN string
	Port                 int
	Protocol             string   // "HTTP" or "HTTPS"
	SSLPolicy            string   // of HTTPS
	Certificates         []string // of HTTPS: their ARNs, the default one first
	Mutual               MutualAuthentication
	DefaultActions       []Action
	Attributes           map[string]string
	Tags                 []Tag
}

// MutualAuthentication is what a listener asks its clients for.
type MutualAuthentication struct {
	Mode          string // "off", "passthrough" or "verify"; "" is off
	TrustStoreARN string
	IgnoreExpiry  bool
	AdvertiseCAs  bool
}

// Rule sends matching requests to actions. Priority 0 is the default rule.
type Rule struct {
	ARN, ListenerARN string
	Priority         int
	Conditions       []Condition
	Actions          []Action
	Transforms       []Transform `json:",omitempty"`
	Tags             []Tag
}

// Condition is one condition of a rule; all of a rule's conditions must match,
// any of a condition's values.
type Condition struct {
	Field      string   // host-header, path-pattern, http-header, http-request-method, query-string, source-ip
	Values     []string // patterns with * and ?, methods, or CIDRs
	Regex      []string `json:",omitempty"` // instead of Values: of host-header, path-pattern and http-header
	HeaderName string   // of http-header
	Query      []Tag    // of query-string; Key may be ""
}

// Transform rewrites a request on its way to a target: what Regex finds first
// becomes Replace, in which $1 to $9 are what the groups of Regex found.
type Transform struct {
	Type           string // host-header-rewrite or url-rewrite
	Regex, Replace string
}

// Action is what a rule does with a request.
type Action struct {
	Type     string // forward, redirect or fixed-response; jwt-validation before one of them
	Order    int
	Forward  []WeightedTargetGroup
	Sticky   time.Duration `json:",omitempty"` // for how long a client stays at one of Forward; 0: it does not
	Redirect *Redirect
	Fixed    *FixedResponse
	JWT      *JWTValidation `json:",omitempty"`
}

// WeightedTargetGroup is one destination of a forward action.
type WeightedTargetGroup struct {
	TargetGroupARN string
	Weight         int // 0 to 999
}

// Redirect is a redirect action; its parts may hold #{protocol}, #{host},
// #{port}, #{path} and #{query}.
type Redirect struct {
	Protocol, Host, Port, Path, Query string
	StatusCode                        int // 301 or 302
}

// FixedResponse is a fixed-response action.
type FixedResponse struct {
	StatusCode        int
	ContentType, Body string
}

// TargetGroup is a set of targets that share a health check.
type TargetGroup struct {
	ARN, Name, ID   string
	Protocol        string // "HTTP", "HTTPS"
	ProtocolVersion string // "HTTP1", "HTTP2", "GRPC"
	Port            int
	TargetType      string // "ip"
	VpcID           string
	IPAddressType   string
	HealthCheck     HealthCheck
	Attributes      map[string]string // every attribute, defaults included
	Tags            []Tag
}

// HealthCheck is how a target group probes its targets.
type HealthCheck struct {
	Enabled            bool
	Protocol           string
	Port               string // "traffic-port" or a number
	Path               string
	Interval, Timeout  time.Duration
	HealthyThreshold   int
	UnhealthyThreshold int
	Matcher            string // "200", "200-299,301"; codes of gRPC where the group speaks that
}

// Target is an address that takes requests.
type Target struct {
	IP   string
	Port int
}

// TargetHealth is a target with its state in ELB's words.
type TargetHealth struct {
	Target
	State       string // initial, healthy, unhealthy, draining, unused or unavailable
	Reason      string // e.g. "Target.Timeout"
	Description string
	InFlight    int       // requests under way at the target now
	Anomalous   bool      // fails more often than the others of its group
	Mitigated   bool      // gets fewer requests for it
	Since       time.Time // of State
}

// StrictAttribute is the attribute of a load balancer that has it fail requests as an
// ALB does.
const StrictAttribute = "neargate:strict"

// TargetGroupTraffic is what happened at one target group since the server
// started, but for the gauges, which tell of now. Counters only grow.
type TargetGroupTraffic struct {
	TargetGroupARN  string
	LoadBalancerARN string // "" when no listener uses the group

	Arrivals     uint64    // requests routed to the group, also those still queued
	Requests     uint64    // ended, and a target could be chosen for them
	FailOpen     uint64    // routed while too few targets were healthy, so that all got some
	Completed    uint64    // answered by a target
	Status       [6]uint64 // target answers by class: [2] is 2xx
	ConnErrors   uint64    // no connection to a target, or it broke before an answer
	InFlight     int       // gauge: at targets now
	Queued       int       // gauge: waiting for a target now
	Healthy      int       // gauge
	Unhealthy    int       // gauge
	Anomalous    int       // gauge: targets that fail more often than the others
	Mitigated    int       // gauge: targets that get fewer requests for it
	Failing      bool      // too few targets are healthy by unhealthy_state_routing
	Hidden       bool      // and by dns_failover
	ResponseTime Buckets   // seconds from request sent to answer begun, as TargetResponseTime
	Latency      Buckets   // seconds from request come to answer begun
	Spared       []Spared  // answered though an ALB would have failed them
}

// Spared is how many requests an ALB would have failed for a reason.
type Spared struct {
	Reason string
	Status int // that it would have answered
	Count  uint64
}

// LoadBalancerTraffic is the same for one load balancer.
type LoadBalancerTraffic struct {
	LoadBalancerARN string

	Requests       uint64
	ELBStatus      [6]uint64 // answers made by the balancer itself, by class
	ELB502, ELB503 uint64
	ELB504, ELB500 uint64
	NewConns       uint64
	ActiveConns    int // gauge
	ProcessedBytes uint64
	RejectedConns  uint64
	TLSErrors      uint64 // clients with whom no TLS was agreed on
	FixedResponses uint64
	Redirects      uint64
	Evaluations    uint64 // rules looked at, without default ones
	NonCompliant   uint64 // requests that do not comply (desync mitigation)
	DroppedInvalid uint64 // requests of which header fields were dropped
	NonSticky      uint64 // requests to groups with stickiness that came without a session
}

// Buckets is a histogram: Counts[i] observations near Values[i], counters that
// only grow. Values are fixed for the life of the process, ascending, at most
// 2 % apart.
type Buckets struct {
	Values []float64
	Counts []uint64
	Sum    float64
}
