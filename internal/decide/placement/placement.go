// Package placement decides which task goes first when there are too many, how
// many more the server may run, and which sizes a task may have.
//
// It is pure and knows nothing of deployments: see package rollout.
package placement

import (
	"cmp"
	"slices"
	"time"
)

// Candidate is a task that may be stopped.
type Candidate struct {
	ID        string
	Running   bool // RUNNING, else still starting
	Healthy   bool
	Unhealthy bool
	InFlight  int // requests at it now
	CreatedAt time.Time
}

// StopOrder returns the indexes of candidates in the order in which to stop
// them: unhealthy ones, then those still starting, then those whose health is
// not known, then healthy ones; within each the one with the fewest requests in
// flight, then the youngest. ECS leaves the order within a zone open.
func StopOrder(candidates []Candidate) []int {
	order := make([]int, len(candidates))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := candidates[i], candidates[j]
		return cmp.Or(
			cmp.Compare(worth(a), worth(b)),
			cmp.Compare(a.InFlight, b.InFlight),
			b.CreatedAt.Compare(a.CreatedAt),
			cmp.Compare(a.ID, b.ID),
		)
	})
	return order
}

func worth(c Candidate) int {
	switch {
	case c.Unhealthy:
		return 0
	case !c.Running:
		return 1
	case !c.Healthy:
		return 2
	default:
		return 3
	}
}
