package accesslog

import (
	"net/netip"
	"strconv"
	"time"

	"neargate/internal/balancer/exchange"
)

// Entry is one request as its line tells of it. Strings are copied by Append.
type Entry struct {
	Tunnel       bool       // a WebSocket
	Secure       bool       // over TLS
	GRPC         bool       // a call of gRPC
	LoadBalancer string     // "app/NAME/ID"
	Node         netip.Addr // the load balancer's
	Conn         exchange.ConnID
	Client       netip.AddrPort
	Target       netip.AddrPort // zero: none was tried

	Arrived    time.Time // when the request's head had come
	Dispatched time.Time // zero: it was not sent to a target
	Answered   time.Time // when the target's head had come; zero: it did not
	Finished   time.Time

	Status, TargetStatus int // TargetStatus 0: no answer

	// WouldHave is the status that an ALB would have answered instead, and
	// WouldReason why; 0: the same. It goes behind AWS's fields, which may become
	// more.
	WouldHave      int
	WouldReason    string
	Received, Sent int64

	Method, Host, URI, Version string // "" where the request could not be read
	Port                       int    // of the listener
	UserAgent, Trace           string
	Cipher, Protocol           string // of TLS, as OpenSSL names them
	ServerName, Certificate    string // of TLS: by SNI; the ARN of the one shown
	TargetGroup                string // an ARN; "": none
	Priority                   int    // of the rule, 0 is the default's; NoRule: none was asked
	Action                     string // "forward", "fixed-response", "redirect", or "jwt-validation" that let nobody in; "": none
	Before                     string // an action that let the request pass before: "jwt-validation"; "": none
	Redirect                   string // where to
	ErrorReason                string // of an authentication; "": none
	Class, ClassReason         string // of desync mitigation; "" if compliant
	// What the target got for host and URI; "" what the client sent.
	TransformedHost, TransformedURI string
	Transform                       string // how the transforms of the rule went; "": it has none
}

// maxAgent is how much of a User-Agent a line has.
const maxAgent = 8 << 10

// NoRule is the Priority of a request for which no rule was asked.
const NoRule = -1

// Append appends the entry's line, in the format of the user guide for
// Application Load Balancers, "Access log entries".
func (e *Entry) Append(b []byte) []byte {
	b = append(append(b, e.kind()...), ' ')
	b = append(appendTime(b, e.Finished), ' ')
	b = append(append(b, e.LoadBalancer...), ' ')
	b = append(appendAddress(b, e.Client), ' ')
	b = append(appendAddress(b, e.Target), ' ')
	b = append(appendSpan(b, e.Arrived, e.Dispatched), ' ')
	b = append(appendSpan(b, e.Dispatched, e.Answered), ' ')
	b = append(appendSpan(b, e.Answered, e.Answered), ' ') // the answer is passed on as it comes
	b = append(appendCode(b, e.Status), ' ')
	b = append(appendCode(b, e.TargetStatus), ' ')
	b = append(strconv.AppendInt(b, e.Received, 10), ' ')
	b = append(strconv.AppendInt(b, e.Sent, 10), ' ')
	b = append(e.appendRequest(b), ' ')
	b = append(appendQuoted(b, e.UserAgent[:min(len(e.UserAgent), maxAgent)]), ' ')
	b = append(append(b, orDash(e.Cipher)...), ' ')
	b = append(append(b, orDash(e.Protocol)...), ' ')
	b = append(append(b, orDash(e.TargetGroup)...), ' ')
	b = append(appendQuoted(b, e.Trace), ' ')
	b = append(appendQuoted(b, e.ServerName), ' ')
	b = append(appendQuoted(b, e.Certificate), ' ')
	b = append(e.appendPriority(b), ' ')
	b = append(appendTime(b, e.Arrived), ' ')
	b = append(e.appendActions(b), ' ')
	b = append(appendQuoted(b, e.Redirect), ' ')
	b = append(appendQuoted(b, e.ErrorReason), ` "`...) // there are no errors of Lambda or WAF
	b = append(appendAddress(b, e.Target), `" "`...)
	b = append(appendCode(b, e.TargetStatus), `" `...)
	b = append(appendQuoted(b, e.Class), ' ')
	b = append(appendQuoted(b, e.ClassReason), ' ')
	b = append(appendConn(b, e.Conn), ' ')
	b = append(appendQuoted(b, e.TransformedHost), ' ')
	b = append(appendQuoted(b, e.TransformedURI), ' ')
	b = append(appendQuoted(b, e.Transform), ' ')
	b = appendNode(b, e.Node)
	if e.WouldHave > 0 {
		b = append(strconv.AppendInt(append(b, ` "neargate:would-have-failed=`...), int64(e.WouldHave), 10), ' ')
		b = append(append(b, e.WouldReason...), '"')
	}
	return append(b, '\n')
}

// kind is how the client speaks.
func (e *Entry) kind() string {
	switch {
	case e.Tunnel && e.Secure:
		return "wss"
	case e.Tunnel:
		return "ws"
	case e.Version == "HTTP/2.0" && e.GRPC:
		return "grpcs"
	case e.Version == "HTTP/2.0":
		return "h2"
	case e.Secure:
		return "https"
	}
	return "http"
}

// appendRequest appends METHOD URL VERSION, with the listener's port in the URL.
func (e *Entry) appendRequest(b []byte) []byte {
	b = append(b, '"')
	scheme := " http://"
	if e.Secure {
		scheme = " https://"
	}
	b = append(appendEscaped(b, orDash(e.Method)), scheme...)
	host := e.Host
	for i := len(host) - 1; i >= 0 && host[i] != ']'; i-- {
		if host[i] == ':' {
			host = host[:i]
			break
		}
	}
	b = append(appendEscaped(b, host), ':')
	b = strconv.AppendInt(b, int64(e.Port), 10)
	b = append(appendEscaped(b, orDash(e.URI)), ' ')
	return append(appendEscaped(b, orDash(e.Version)), '"')
}

func (e *Entry) appendPriority(b []byte) []byte {
	if e.Priority == NoRule {
		return append(b, '-')
	}
	return strconv.AppendInt(b, int64(e.Priority), 10)
}

func (e *Entry) appendActions(b []byte) []byte {
	if e.Before == "" || e.Action == "" {
		return appendQuoted(b, e.Action)
	}
	return append(append(append(append(append(b, '"'), e.Before...), ','), e.Action...), '"')
}
