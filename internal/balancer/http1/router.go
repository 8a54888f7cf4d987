package http1

import (
	"net/netip"
	"time"
)

// Router says what becomes of a request.
type Router interface {
	// Route is called once for each well-formed request, from the goroutine of
	// its connection, and must not block. r is valid until Observer.Finished
	// has returned.
	Route(r *Request) Verdict
}

// Verdict is what becomes of a request: no answer at all, one of the balancer's
// own, or a group of targets. The zero Verdict is a 503.
type Verdict struct {
	Drop   bool    // the connection is reset without an answer, as if nobody listened
	Answer *Answer // if not nil, sent to the client; read only
	Group  Group   // else asked for a target

	// Settings, if not nil, are in force for this request instead of the
	// server's, for a listener that load balancers share.
	Settings *Settings
}

// Answer is a response that the balancer makes itself: a fixed response, a
// redirect or an error. It may be shared between requests.
type Answer struct {
	Status      int
	ContentType string // of Body
	Location    string // of a redirect; "" for none
	Body        string // with Status >= 300 and Body "", AWS's HTML page is sent
	Reason      string // for the access log, e.g. "NoTargets"
}

// Group gives the targets of a target group out to requests.
type Group interface {
	// Claim picks a target for r. It may wait (a queue), and then must watch
	// r.Context(), which ends when the client has gone or the server ends
	// hard; calling Context costs a goroutine, so a Claim that need not wait
	// leaves it alone.
	//
	// Claim is called again for the same request after a Lease was given back
	// with a Failure that allows another try: r.Attempt() is then above 0 and
	// r.Failed() is the target that failed.
	//
	// An error ends the request: a *RefusalError with its status, any other error
	// with 503.
	Claim(r *Request) (Lease, error)
}

// Lease is a request's hold on one target. A pointer to the caller's own
// record of the target serves well: nothing is then allocated.
type Lease interface {
	// Target is where the request goes. Called at once after Claim.
	Target() *Target
	// Done is called exactly once, on every path, when the target is free of
	// the request: the answer was passed on entirely, or the try has failed.
	Done(r *Request, o *Outcome)
}

// RefusalError is the error of a Claim that names the status of the answer.
type RefusalError struct {
	Status int    // 503, 504...
	Reason string // for the access log
}

// Error tells the reason.
func (e *RefusalError) Error() string { return "no target: " + e.Reason }

// Outcome is how one try at a target ended.
type Outcome struct {
	Failure      Failure
	Status       int           // the target's, 0 without an answer
	Sent         time.Time     // when the request was fully sent, or sending its body began; zero if it was not
	ResponseTime time.Duration // from Sent to the answer's head, as TargetResponseTime; 0 without an answer
	In, Out      int64         // bytes received from and sent to the target
	Reused       bool          // the connection had served requests before
	Retry        bool          // Claim is called again for this request
}

// Failure says what went wrong in a try at a target.
type Failure uint8

// The failures.
const (
	OK             Failure = iota
	ConnectRefused         // no connection: refused, unreachable, reset; 502
	ConnectTimeout         // no connection within 10 s; 504
	Broken                 // the connection broke before the answer's head; 502
	BadAnswer              // the answer was no HTTP/1 or too large; 502
	Timeout                // no answer within the idle timeout; 504
	Truncated              // the answer's body broke off or was malformed; the client's connection was cut
	ClientGone             // the client left or broke off its body first; 460 or 400
	BadBody                // the client's body was malformed; 400
	Ended                  // the server was ended hard
)

// String names the failure in plain words.
func (f Failure) String() string {
	return [...]string{
		"ok", "connect refused", "connect timeout", "broken", "bad answer",
		"timeout", "truncated", "client gone", "bad body", "ended",
	}[f]
}

// Observer is told of connections and finished requests. Calls come from many
// goroutines at once and must not block.
type Observer interface {
	// Opened is called for each client connection accepted; from is the zero value
	// if it is not TCP.
	Opened(from netip.Addr)
	// Rejected is called for each closed at once, the limit being reached.
	Rejected()
	// Closed is called when a client connection accepted has ended.
	Closed(from netip.Addr)
	// Finished is called once for each request, also malformed ones (then
	// Router was never asked and r may lack anything). r and s are valid
	// during the call only.
	Finished(r *Request, s *Summary)
}

// Summary is how a request ended, for counters and the access log.
type Summary struct {
	Status       int       // what the client got; 460 if it left before an answer, 0 if the server ended
	Own          bool      // the balancer made the answer
	Reason       string    // why, for the access log; "" for none
	Target       *Target   // the last one tried, or nil
	TargetStatus int       // 0 without an answer
	Received     int64     // bytes of the request from the client
	SentBytes    int64     // bytes of the answer to the client
	Dispatched   time.Time // when the request was sent to the target; zero if it was not
	Answered     time.Time // when the target's head had come; zero if it did not
	Finished     time.Time
	Tries        int    // leases taken
	Tunnel       bool   // a WebSocket
	Class        Desync // of the request
	ClassReason  string // "" if compliant
	DroppedBad   int    // header fields dropped for their names
}
