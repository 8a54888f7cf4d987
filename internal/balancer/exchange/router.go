package exchange

// Router decides what becomes of a request.
type Router interface {
	// Route is called once for each well-formed request and must not block. r is
	// valid until Observer.Finished has returned.
	Route(r *Request) Verdict
}

// Verdict is what becomes of a request: no answer at all, one of the balancer's
// own, or a group of targets. The zero Verdict is a 503.
type Verdict struct {
	Drop   bool    // the connection is reset without an answer, as if nobody listened
	Later  Decider // if not nil, asked for the verdict; Settings and Edits hold already
	Answer *Answer // if not nil, sent to the client; read only
	Group  Group   // else asked for a target

	// Settings, if not nil, are in force for this request instead of the
	// connection's, for a listener that load balancers share.
	Settings *Settings
	// Rewrite, if not nil, is what the target gets for host, path and query.
	Rewrite *Rewrite
	// Edits, if not nil, change header fields; read only.
	Edits *Edits
}

// Decider decides what becomes of a request where that takes a wait, such as for the
// keys that a token is verified by.
type Decider interface {
	// Decide returns the verdict, one without Later, whose Settings do not count. It
	// may wait as Group.Claim may.
	Decide(r *Request) Verdict
}

// Rewrite is a request's address as the target gets it, in place of the client's.
type Rewrite struct {
	Host  string // "" leaves it
	Path  string // "" leaves it, and the query
	Query string // without "?"
}

// Edits are changes of header fields, after everything else was decided.
type Edits struct {
	Request Edit // of what targets get
	Answer  Edit // of what clients get, from targets and from us
}

// Edit removes fields and then adds some.
type Edit struct {
	Remove []string // names, in any case
	Add    []Field  // Name and Value
}

// Answer is a response that the balancer makes itself: a fixed response, a
// redirect or an error. It may be shared between requests.
type Answer struct {
	Status      int
	ContentType string // of Body
	Location    string // of a redirect; "" for none
	Body        string // with Status >= 300 and Body "", AWS's HTML page is sent, unless Bare
	Reason      string // for the access log, e.g. "NoTargets"
	Bare        bool   // Body "" is none
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

// Answerer is a Lease that looks at the target's final answer before the client
// gets it.
type Answerer interface {
	// Answers is called once, and not for interim answers. It may call
	// Request.SetAnswerHeader; h is read only.
	Answers(r *Request, h *Head)
}

// RefusalError is the error of a Claim that names the status of the answer.
type RefusalError struct {
	Status int    // 503, 504...
	Reason string // for the access log
}

// Error returns the reason.
func (e *RefusalError) Error() string { return "no target: " + e.Reason }
