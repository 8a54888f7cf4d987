package sim

// Second is one second of a run.
type Second struct {
	Rate                       float64 // true arrival rate
	Desired                    int
	Running, Starting, Drained int // at the end of the second; Drained are still serving out
	Queued, InFlight           int
	Completed, Late            int
	Failed                     int     // requests that went with a crashed task, or found none
	CPU                        float64 // vCPU-seconds used by all tasks
	TaskSeconds                float64 // of all tasks, starting and draining included
}

// Order is a change of the desired count.
type Order struct {
	At       int // the second after which it was given
	From, To int
	Reason   string
}

// Result is what a run shows. Requests = Completed + Failed + those in flight
// and queued at the end.
type Result struct {
	Seconds     []Second
	Orders      []Order
	Requests    int
	Completed   int
	Failed      int
	Late        int       // completed after more than the SLO, failed, or still waiting at the end for longer
	TaskSeconds float64   // of all tasks, starting and draining included
	Latencies   Histogram // seconds, of completed requests
}

// LatePercent is the share of requests that broke the SLO.
func (r Result) LatePercent() float64 {
	if r.Requests == 0 {
		return 0
	}
	return 100 * float64(r.Late) / float64(r.Requests)
}
