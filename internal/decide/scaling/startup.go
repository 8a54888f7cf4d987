package scaling

import "time"

// Startup follows how tasks come into service.
type Startup struct {
	Known   bool
	Running int               // at the newest observation
	Waited  float64           // task-seconds spent starting, decaying
	Started float64           // tasks that came into service, decaying
	Begun   [youngSeconds]int // tasks that came into service in each second, newest first
}

// A task that has begun to serve may still be busy with its start: surely for
// warmSeconds, and as far as no requests account for its CPU for youngSeconds
// (loading caches, compiling, migrating).
const (
	warmSeconds  = 3
	youngSeconds = 90
)

// Bounds of the start-up time that decisions reckon with.
const (
	assumedStartup = 5 * time.Second // until one has been seen
	longestStartup = 10 * time.Minute
	startupMemory  = 20 // tasks
)

func (u Startup) follow(obs Observation) Startup {
	running, starting := max(obs.Second.Running, 0), max(obs.Second.Starting, 0)
	begun := 0
	if u.Known {
		begun = max(0, running-u.Running)
	}
	copy(u.Begun[1:], u.Begun[:youngSeconds-1])
	u.Begun[0] = begun
	u.Known, u.Running = true, running
	u.Waited += float64(starting) * clean(obs.Second).Interval.Seconds()
	u.Started += float64(begun)
	for u.Started > startupMemory {
		u.Started /= 2
		u.Waited /= 2
	}
	return u
}

// warm is the number of tasks that began to serve a moment ago, young that of
// those which did so before and not long ago.
func (u Startup) warm() int  { return total(u.Begun[:warmSeconds]) }
func (u Startup) young() int { return total(u.Begun[warmSeconds:]) }

func total(counts []int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

// time is how long a task takes from its order to its first request: by
// Little's law, the task-seconds waited over the tasks that came.
func (u Startup) time() time.Duration {
	if u.Started < 1 {
		return assumedStartup
	}
	return min(time.Duration(u.Waited/u.Started*float64(time.Second)), longestStartup)
}
