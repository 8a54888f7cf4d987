package balancer

import (
	"net/http"
	"strings"

	"neargate/internal/balancer/exchange"
	"neargate/internal/model"
)

// protocolOf returns how the targets of a group are spoken to.
func protocolOf(tg model.TargetGroup) exchange.Protocol {
	switch tg.ProtocolVersion {
	case "HTTP2":
		return exchange.HTTP2
	case "GRPC":
		return exchange.GRPC
	}
	return exchange.HTTP1
}

// takes reports whether a request's protocol goes with that of the group
// (load-balancer-target-groups, "Protocol version").
func (c *groupConf) takes(r *exchange.Request) bool {
	second := r.Version == "HTTP/2.0"
	switch c.speaks {
	case exchange.HTTP2:
		return second
	case exchange.GRPC:
		return second && r.Method == http.MethodPost
	case exchange.HTTP1:
	}
	return !second || r.Method != http.MethodPost || !isGRPC(r)
}

// isGRPC reports whether a request is a call of gRPC.
func isGRPC(r *exchange.Request) bool {
	kind, _ := r.Header("content-type")
	return strings.HasPrefix(kind, "application/grpc")
}

// incompatible is the answer to a request that does not go with its target group
// (load-balancer-troubleshooting, "HTTP 464"); observed: it has no content.
func incompatible() *exchange.Answer {
	return &exchange.Answer{Status: 464, Reason: "ProtocolVersion", Bare: true}
}
