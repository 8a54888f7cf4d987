package scheduler

import (
	"fmt"
	"sync"

	"neargate/internal/decide/placement"
)

// capacity is what all tasks of the server take together. It is safe for
// concurrent use.
type capacity struct {
	limits placement.Limits

	mu   sync.Mutex
	load placement.Load // guarded by mu
}

// claim takes room for as many of n tasks as fit, and returns their number and
// what keeps the others out.
func (c *capacity) claim(n int, each placement.Size) (int, placement.Shortage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, short := placement.Fit(n, each, c.load, c.limits)
	c.addLocked(n, each)
	return n, short
}

// occupy takes room for a task that is there already.
func (c *capacity) occupy(each placement.Size) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addLocked(1, each)
}

// release gives back the room of n tasks.
func (c *capacity) release(n int, each placement.Size) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addLocked(-n, each)
}

// missing tells a person why a task does not fit.
func (c *capacity) missing(each placement.Size, short placement.Shortage) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if short == placement.NoMemory {
		return fmt.Sprintf("tasks may take %d MiB in sum and take %d; one more needs %d (see --memory-overcommit)", c.limits.MemoryMiB, c.load.MemoryMiB, each.MemoryMiB)
	}
	return fmt.Sprintf("tasks may take %d CPU units in sum and take %d; one more needs %d (see --cpu-overcommit)", c.limits.CPUUnits, c.load.CPUUnits, each.CPUUnits)
}

func (c *capacity) addLocked(n int, each placement.Size) {
	c.load.Tasks += n
	c.load.CPUUnits += n * each.CPUUnits
	c.load.MemoryMiB += n * each.MemoryMiB
}
