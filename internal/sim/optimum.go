package sim

import "math"

// Need is how many tasks each second's demand needs at a utilisation of
// target percent, held to bounds: the demand that a scaler by CPU is measured
// against.
func Need(rates []float64, demandSeconds, taskVCPU, targetPercent float64, lo, hi int) []int {
	out := make([]int, len(rates))
	for i, r := range rates {
		n := int(math.Ceil(r*demandSeconds/(taskVCPU*targetPercent/100) - 1e-9))
		out[i] = min(max(n, lo), hi)
	}
	return out
}

// Optimum is the least task-seconds with which a scaler that knows the future
// can have need[i] tasks ready in each second i, when a task costs from its
// order on and takes start seconds to be ready.
//
// Levels are independent: the k-th task is needed while need ≥ k. A gap of g
// seconds between two needs costs the smaller of keeping the task (g) and
// starting another (start). So the optimum is, summed over levels, the seconds
// of need, the smaller of g and start for each gap, and one start; the tasks
// that run at the beginning (initial) have been started already.
func Optimum(need []int, start float64, initial int) float64 {
	var cost float64
	for k := 1; k <= highest(need); k++ {
		last := -1 // the last second in which level k was needed
		for i, n := range need {
			if n < k {
				continue
			}
			switch gap := float64(i - last - 1); {
			case last >= 0, k <= initial:
				cost += min(gap, start)
			default:
				cost += start
			}
			cost++
			last = i
		}
	}
	return cost
}

// Schedule is how the optimum is reached with one order a second: the count to
// be desired from the end of second i on, and at the beginning (initial, which
// is at least what need begins with). A level is kept over a gap that is no
// longer than a start, and else ordered a start before its next need.
//
// A level stays on where a lower one does, so the counts are those of the
// levels taken together.
func Schedule(need []int, start float64) (initial int, desired []int) {
	lead := int(math.Ceil(start - 1e-9))
	on := make([]int, len(need)+1) // on[i]: levels that are on from time i
	for k := 1; k <= highest(need); k++ {
		last := -1
		for i, n := range need {
			if n < k {
				continue
			}
			var from int
			if gap := i - last - 1; gap <= lead {
				from = last + 1
			} else {
				from = i - lead
			}
			for t := from; t <= i; t++ {
				on[t]++
			}
			last = i
		}
	}
	if n := len(need); n > 0 {
		on[n] = on[n-1]
		return on[0], on[1:]
	}
	return 0, nil
}

func highest(need []int) int {
	top := 0
	for _, n := range need {
		top = max(top, n)
	}
	return top
}
