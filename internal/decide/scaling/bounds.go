package scaling

import "fmt"

// Bounds are those of a scalable target, with what is suspended: a count outside
// them is moved to the nearer one unless that direction is suspended.
type Bounds struct {
	Min, Max              int
	SuspendIn, SuspendOut bool
}

// Move returns the count that a desired count outside the bounds is moved to,
// and the cause in AWS's words; moved is false where it stays.
func (b Bounds) Move(desired int) (n int, cause string, moved bool) {
	switch {
	case desired < b.Min && !b.SuspendOut:
		return b.Min, fmt.Sprintf("minimum capacity was set to %d", b.Min), true
	case desired > b.Max && !b.SuspendIn:
		return b.Max, fmt.Sprintf("maximum capacity was set to %d", b.Max), true
	}
	return desired, "", false
}
