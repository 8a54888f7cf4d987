package runtime

// ContainerError is an error of a start that one container is to blame for. Its
// text is the cause's.
type ContainerError struct {
	Container string // by name
	Err       error
}

func (e *ContainerError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ContainerError) Unwrap() error { return e.Err }
