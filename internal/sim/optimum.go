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
	highest := 0
	for _, n := range need {
		highest = max(highest, n)
	}
	var cost float64
	for k := 1; k <= highest; k++ {
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
