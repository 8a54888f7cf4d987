package routing

// Algorithm is how a target is picked among those that may serve.
type Algorithm int

// The algorithms, by the values of load_balancing.algorithm.type.
const (
	LeastOutstanding Algorithm = iota // least_outstanding_requests
	RoundRobin                        // round_robin
	Random                            // weighted_random
)

// ParseAlgorithm reads load_balancing.algorithm.type; the default is ELB's,
// round_robin.
func ParseAlgorithm(s string) Algorithm {
	switch s {
	case "least_outstanding_requests":
		return LeastOutstanding
	case "weighted_random":
		return Random
	}
	return RoundRobin
}

// window is how many targets LeastOutstanding compares. In a larger group the
// request goes to the least busy of that many neighbours, found by another place
// to begin each time: the cost is bounded, and with 64 to choose from the pick is
// among the idlest 5 % of all in 26 of 27 cases.
const window = 64

// Pick returns the index of the target that takes the next request, -1 when there
// is none. load tells how many requests a target has in flight. turn is a
// number that the caller raises with each request, draw a random one.
//
// With LeastOutstanding equal targets take turns: the search begins at another
// target each time, and the first of the least wins.
func Pick[T any](a Algorithm, targets []T, load func(T) int, turn, draw uint64) int {
	n := uint64(len(targets))
	switch {
	case n == 0:
		return -1
	case a == RoundRobin:
		return int(turn % n)
	case a == Random:
		return int(draw % n)
	case n > window:
		return least(targets, load, scattered(turn, n), window)
	}
	return least(targets, load, int(turn%n), int(n))
}

// Least returns the index of the target with the fewest requests in flight of all,
// -1 when there is none. It is for when the one that was picked cannot take more.
func Least[T any](targets []T, load func(T) int, turn uint64) int {
	if len(targets) == 0 {
		return -1
	}
	return least(targets, load, int(turn%uint64(len(targets))), len(targets))
}

// scattered returns a place among n for a turn: those of many turns lie evenly, and
// those of turns that follow each other far apart (multiplication by the golden
// ratio of 2⁶⁴).
func scattered(turn, n uint64) int {
	return int(turn * 0x9e3779b97f4a7c15 >> 32 * n >> 32)
}

// least looks at count targets from start on.
func least[T any](targets []T, load func(T) int, start, count int) int {
	best, fewest := -1, 0
	i := start
	for range count {
		l := load(targets[i])
		if best < 0 || l < fewest {
			best, fewest = i, l
		}
		if fewest == 0 {
			return best
		}
		if i++; i == len(targets) {
			i = 0
		}
	}
	return best
}

// Minimum is what must be healthy in a target group for its unhealthy targets
// to be left out; below it all registered targets get traffic (the attributes
// target_group_health.unhealthy_state_routing.minimum_healthy_targets.*).
type Minimum struct {
	Count   int     // at least 1
	Percent float64 // of the registered targets, 0 when off
}

// Serving returns the indices of the targets that may take requests, by their
// states in ELB's words: the healthy ones, or, when fewer than min are healthy,
// all that are registered and not draining; failOpen reports the latter. It
// returns none only when none is registered.
func Serving(states []string, m Minimum) (serving []int, failOpen bool) {
	var healthy, registered []int
	for i, s := range states {
		switch s {
		case "healthy":
			healthy = append(healthy, i)
			registered = append(registered, i)
		case "initial", "unhealthy", "unavailable":
			registered = append(registered, i)
		}
	}
	if m.Met(len(healthy), len(registered)) {
		return healthy, false
	}
	return registered, len(registered) > 0
}

// Met reports whether enough targets are healthy of those that are registered.
func (m Minimum) Met(healthy, registered int) bool {
	return healthy >= max(1, m.Count) && 100*float64(healthy) >= m.Percent*float64(registered)
}

// Weighted returns the index of the target group that takes a request, by
// weight, from a random draw; -1 when all weights are 0. As on AWS, weight
// counts whether or not a group has healthy targets.
func Weighted[T any](groups []T, weight func(T) int, draw uint64) int {
	total := uint64(0)
	for _, g := range groups {
		total += uint64(weight(g))
	}
	if total == 0 {
		return -1
	}
	draw %= total
	for i, g := range groups {
		w := uint64(weight(g))
		if draw < w {
			return i
		}
		draw -= w
	}
	return -1
}
