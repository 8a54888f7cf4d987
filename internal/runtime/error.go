package runtime

import "errors"

// ErrStopped ends a Start whose task is stopped meanwhile.
var ErrStopped = errors.New("the task was stopped while it started")

// ErrEssentialEnded ends a Start one of whose essential containers ended before
// all had been started.
var ErrEssentialEnded = errors.New("an essential container ended before all had been started")
