package steady

import (
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// meter divides the CPU time of one thread into parts.
type meter struct {
	mu     sync.Mutex
	thread int                      // guarded by mu; its ID, 0 before run
	part   string                   // guarded by mu
	last   time.Duration            // guarded by mu; the thread's CPU time when part began
	used   map[string]time.Duration // guarded by mu; by the parts that are over
}

// run has f run on a thread of its own, in the part of that name. f's
// goroutine may switch to others.
func (m *meter) run(part string, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m.mu.Lock()
	m.used, m.thread, m.part = map[string]time.Duration{}, unix.Gettid(), part
	m.last = threadCPU(m.thread)
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.thread = 0
	}()
	return f()
}

// in has f run in another part.
func (m *meter) in(part string, f func()) {
	before := m.to(part)
	f()
	m.to(before)
}

func (m *meter) to(part string) (before string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := threadCPU(m.thread)
	m.used[m.part] += now - m.last
	before, m.part, m.last = m.part, part, now
	return before
}

// add adds what each part has used to total. Any goroutine may call it.
func (m *meter) add(total map[string]time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for part, d := range m.used {
		total[part] += d
	}
	if m.thread != 0 {
		total[m.part] += threadCPU(m.thread) - m.last
	}
}

// threadCPU is the CPU time of a thread of this process: the kernel makes the
// clock's number of the thread's, clock_getcpuclockid(3).
func threadCPU(thread int) time.Duration {
	const perThread, scheduler = 4, 2
	return cpuClock(int32(^thread<<3 | perThread | scheduler))
}

// processCPU is the CPU time of this process.
func processCPU() time.Duration { return cpuClock(unix.CLOCK_PROCESS_CPUTIME_ID) }

func cpuClock(clock int32) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		panic("CPU clock: " + err.Error()) // every Linux has it
	}
	return time.Duration(ts.Nano())
}
