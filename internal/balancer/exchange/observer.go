package exchange

import (
	"time"

	"neargate/internal/decide/routing"
)

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

// Failure is what went wrong in a try at a target.
type Failure uint8

// The failures.
const (
	OK             Failure = iota
	ConnectRefused         // no connection: refused, unreachable, reset; 502
	ConnectTimeout         // no connection within 10 s; 504
	Broken                 // the connection broke before the answer's head; 502
	BadAnswer              // the answer was malformed or too large; 502
	Timeout                // no answer within the idle timeout; 504
	Truncated              // the answer's body broke off or was malformed; the client's connection was cut
	ClientGone             // the client left or broke off its body first; 460 or 400
	BadBody                // the client's body was malformed; 400
	Ended                  // the server was ended hard
	NoRoom                 // there are as many connections to targets as there may be; 503
)

// String names the failure in plain words.
func (f Failure) String() string {
	return [...]string{
		"ok", "connect refused", "connect timeout", "broken", "bad answer",
		"timeout", "truncated", "client gone", "bad body", "ended", "too many connections to targets",
	}[f]
}

// Observer is told of connections and finished requests. Calls come from many
// goroutines at once and must not block.
type Observer interface {
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
	Tries        int      // leases taken
	Tunnel       bool     // a WebSocket
	Class        Desync   // of the request
	ClassReason  string   // "" if compliant
	DroppedBad   int      // header fields dropped for their names
	Rewrite      *Rewrite // what the target got in place of the client's; nil: the client's

	// Spared is why an ALB would not have passed an answer on, of a request whose
	// answer was a target's.
	Spared routing.Kindness
}
