package placement

// Size is what one task takes of a machine, or what a machine has.
type Size struct {
	CPUUnits  int // 1024 is one CPU
	MemoryMiB int
}

// Limits is how much may be placed at once. A 0 is no limit.
type Limits struct {
	Tasks int
	Size
}

// Load is how much is placed.
type Load struct {
	Tasks int
	Size
}

// Shortage is what there is too little of.
type Shortage int

// The shortages.
const (
	Enough Shortage = iota
	TooManyTasks
	NoMemory
	NoCPU
	NoArchitecture // no machine runs programs of the kind
)

// String returns the shortage as the reason of a failure of RunTask; "" is none.
// [API_RunTask, API failure reasons].
func (s Shortage) String() string {
	return [...]string{"", "LIMIT", "RESOURCE:MEMORY", "RESOURCE:CPU", "ATTRIBUTE"}[s]
}

// Overcommit returns how much may be placed on a machine when the sum of what
// tasks may use can be so many times what it has. A machine whose size is not
// known has no limit.
func Overcommit(machine Size, cpu, memory float64) Size {
	return Size{CPUUnits: int(float64(machine.CPUUnits) * cpu), MemoryMiB: int(float64(machine.MemoryMiB) * memory)}
}

// Fit returns how many of want tasks of one size can be placed beside a load,
// and what keeps the others from it.
//
// On 2 CPUs and 4096 MiB with CPUs overcommitted twice, 1 CPU and 1024 MiB each:
// 4 of 10 fit, and it is memory that is short.
func Fit(want int, each Size, load Load, limits Limits) (n int, short Shortage) {
	n = want
	for _, r := range []struct {
		each, load, limit int
		short             Shortage
	}{
		{1, load.Tasks, limits.Tasks, TooManyTasks},
		{each.MemoryMiB, load.MemoryMiB, limits.MemoryMiB, NoMemory},
		{each.CPUUnits, load.CPUUnits, limits.CPUUnits, NoCPU},
	} {
		if r.limit == 0 || r.each == 0 {
			continue
		}
		if room := max(0, r.limit-r.load) / r.each; room < n {
			n, short = room, r.short
		}
	}
	return n, short
}
