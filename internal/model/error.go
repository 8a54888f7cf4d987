package model

import (
	"errors"
	"fmt"
)

// Kind says what class of failure an Error is; it decides the HTTP status at
// the faces and whether a retry can help.
type Kind int

// The kinds. The zero value counts as Internal.
const (
	Internal    Kind = iota // our fault: 500, retry may help
	Invalid                 // the caller's input: 400
	NotFound                // the named thing does not exist
	Conflict                // the thing is in a state that forbids this
	Denied                  // not authenticated or not allowed
	Throttled               // too fast, or a limit was hit
	TooLarge                // the input is bigger than allowed
	Unavailable             // a part we need is down: 503, retry helps
)

// Error is a failure that a caller can branch on. Code is the AWS code without
// namespace ("ServiceNotFoundException"), Msg the sentence for the caller, Err
// the inner cause for the log only.
type Error struct {
	Kind Kind
	Code string
	Msg  string
	Err  error
}

// Errorf creates an Error with a formatted message.
func Errorf(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Msg: fmt.Sprintf(format, args...)}
}

// Error returns the code, the message and the cause.
func (e *Error) Error() string {
	s := e.Msg
	if e.Code != "" {
		s = e.Code + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first Error in err's chain, else Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Message returns what a caller of the APIs may read of err: the message of the
// first Error in its chain. What has none is the server's own fault, and its text,
// which may name places of the machine, is for the log.
func Message(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Msg
	}
	return "internal error"
}
