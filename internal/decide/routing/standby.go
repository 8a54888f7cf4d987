package routing

// MostStandby is how many requests of one target group may wait for the first task
// of a service that has none; the next ones get 503 at once, as on AWS all do. Each
// waits no longer than the idle timeout of its load balancer, as for a target that
// is slow to answer, and gets 503 then.
const MostStandby = 1000

// Unready reports whether no target can take a request yet, by the targets' states
// in ELB's words: none is registered, or none is healthy while one has just come.
// Requests wait then where a task is on its way; elsewhere Serving stands.
func Unready(states []string) bool {
	registered, coming := 0, false
	for _, s := range states {
		switch s {
		case "healthy":
			return false
		case "initial":
			registered, coming = registered+1, true
		case "unhealthy", "unavailable":
			registered++
		}
	}
	return registered == 0 || coming
}
