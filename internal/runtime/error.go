package runtime

import "errors"

// ErrStopped ends a Start whose task is stopped meanwhile.
var ErrStopped = errors.New("the task was stopped while it started")
