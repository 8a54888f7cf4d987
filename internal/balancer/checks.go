package balancer

import (
	"net"
	"net/netip"
	"strconv"
	"time"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// noteCheck adds a probe to the health check logs of the load balancers that use the
// target's group.
func (b *Balancer) noteCheck(t *target, hc model.HealthCheck, result health.Result, began, ended time.Time) {
	t.group.mu.Lock()
	users := t.group.usedBy
	t.group.mu.Unlock()
	for _, arn := range users {
		b.mu.RLock()
		lb := b.lbs[arn]
		b.mu.RUnlock()
		if lb == nil {
			continue
		}
		log := &lb.logs[accesslog.HealthChecks]
		if !log.Wanted() {
			continue
		}
		of, group := lb.conf.Load(), t.group.conf.Load()
		log.Check(&accesslog.Check{
			Kind: checkKind(group.speaks, hc), At: began, Took: ended.Sub(began), Target: checkedAt(t.at, hc), TargetGroup: group.Name,
			Answered: result.Outcome == health.Answered, Code: result.Code, Fault: checkFault(group.speaks, hc, result),
			LoadBalancer: of.resource, Node: of.address,
		})
	}
}

// checkedAt is where a target is probed.
func checkedAt(t model.Target, hc model.HealthCheck) netip.AddrPort {
	port := strconv.Itoa(t.Port)
	if hc.Port != "" && hc.Port != "traffic-port" {
		port = hc.Port
	}
	at, _ := netip.ParseAddrPort(net.JoinHostPort(t.IP, port)) // checked when it was registered
	return at
}

// checkKind is how a health check's log names the protocol of a check.
func checkKind(speaks exchange.Protocol, hc model.HealthCheck) string {
	switch {
	case speaks == exchange.GRPC:
		return "grpc"
	case speaks == exchange.HTTP2:
		return "h2"
	case hc.Protocol == "HTTPS":
		return "https"
	}
	return "http"
}

// checkFault is AWS's code for why a check failed; "" if it did not
// (load-balancer-health-check-logs, "Error reason codes").
func checkFault(speaks exchange.Protocol, hc model.HealthCheck, r health.Result) string {
	switch {
	case r.Outcome == health.TimedOut:
		return "TimedOut"
	case r.Outcome == health.Broken:
		return "ConnectionReset"
	case health.Matches(hc.Matcher, r.Code):
		return ""
	case speaks == exchange.GRPC:
		return "GRPCUnexpectedStatus"
	case r.Code >= 500:
		return "TargetError"
	}
	return "ResponseCodeMismatch"
}
