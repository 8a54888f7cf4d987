package exchange

import "time"

// Settings are the attributes of a load balancer and its listener that the
// data plane obeys. They can change while it runs.
type Settings struct {
	Proto           string        // X-Forwarded-Proto: "http" or "https"
	Port            int           // of the listener: X-Forwarded-Port and Host
	IdleTimeout     time.Duration // idle_timeout.timeout_seconds
	ClientKeepAlive time.Duration // client_keep_alive.seconds
	ForwardedFor    ForwardedFor  // routing.http.xff_header_processing.mode
	ClientPort      bool          // routing.http.xff_client_port.enabled
	PreserveHost    bool          // routing.http.preserve_host_header.enabled
	DropInvalid     bool          // routing.http.drop_invalid_header_fields.enabled
	Desync          DesyncMode    // routing.http.desync_mitigation_mode
	Attempts        int           // targets tried at most for one request
	Strict          bool          // a request that an ALB would fail fails: neargate:strict

	// RequestTimeout is how long a target may take from the request to the end of
	// its answer; 0 is no limit but IdleTimeout.
	RequestTimeout time.Duration
	// RetryUnavailable has a request that may be repeated tried elsewhere when a
	// target answers 503.
	RetryUnavailable bool
}

// DefaultSettings returns AWS's defaults for an HTTP listener on port 80, and three
// attempts.
func DefaultSettings() Settings {
	return Settings{
		Proto: "http", Port: 80,
		IdleTimeout: 60 * time.Second, ClientKeepAlive: 3600 * time.Second,
		Attempts: 3,
	}
}

// ForwardedFor is what happens to X-Forwarded-For.
type ForwardedFor uint8

// The modes of xff_header_processing.
const (
	AppendForwarded ForwardedFor = iota
	PreserveForwarded
	RemoveForwarded
)

// DesyncMode is how requests are met that a target could read differently.
type DesyncMode uint8

// The modes of desync_mitigation_mode. What cannot be framed at all is refused
// in Monitor too.
const (
	Defensive DesyncMode = iota
	Monitor
	Strictest
)

// Desync is the class of a request (application-load-balancers,
// "Desync mitigation mode"); severe ones are refused with 400.
type Desync uint8

// The classes, harmless first.
const (
	Compliant Desync = iota
	Acceptable
	Ambiguous
	Severe
)
