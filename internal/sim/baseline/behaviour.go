package baseline

import "math"

// Default behaviour of an autoscaling/v2 HPA
// (pkg/apis/autoscaling/v2/defaults.go): outwards at most 4 pods or 100 % in
// 15 s, whichever is more, at once; inwards up to 100 % in 15 s, to the
// largest recommendation of the last 300 s.
const (
	behaviourPeriod = 15
	behaviourPods   = 4
	behaviourFactor = 2
	behaviourWindow = 300
)

// behaviour stabilizes and limits an HPA's recommendations, as
// normalizeDesiredReplicasWithBehaviors does.
type behaviour struct {
	recommended []dated
	added       []dated // by orders outwards
	removed     []dated
}

type dated struct{ at, n int }

// newBehaviour begins with the current count as the first recommendation.
func newBehaviour(current int) behaviour {
	return behaviour{recommended: []dated{{0, current}}}
}

func (b *behaviour) normalize(desired, current, lowest, most, now int) int {
	desired = b.stabilize(desired, current, now)
	switch {
	case desired > current:
		desired = min(desired, max(b.limit(current, now), current), most)
	case desired < current:
		desired = max(desired, lowest)
	}
	desired = min(max(desired, lowest), most)
	switch {
	case desired > current:
		b.added = append(b.added, dated{now, desired - current})
	case desired < current:
		b.removed = append(b.removed, dated{now, current - desired})
	}
	b.added, b.removed = recent(b.added, now-behaviourPeriod), recent(b.removed, now-behaviourPeriod)
	return desired
}

// stabilize holds a recommendation between the least of the window outwards,
// which is the newest alone, and the largest of the window inwards.
func (b *behaviour) stabilize(desired, current, now int) int {
	up, down := desired, desired
	b.recommended = recent(b.recommended, now-behaviourWindow)
	for _, r := range b.recommended {
		down = max(down, r.n)
	}
	b.recommended = append(b.recommended, dated{now, desired})
	return min(max(current, up), down)
}

// limit is the most pods that may be there now.
func (b *behaviour) limit(current, now int) int {
	begin := current - sum(b.added, now-behaviourPeriod) + sum(b.removed, now-behaviourPeriod)
	return max(begin+behaviourPods, int(math.Ceil(float64(begin)*behaviourFactor)))
}

// recent drops what is not after cutoff.
func recent(events []dated, cutoff int) []dated {
	for len(events) > 0 && events[0].at <= cutoff {
		events = events[1:]
	}
	return events
}

func sum(events []dated, cutoff int) int {
	total := 0
	for _, e := range events {
		if e.at > cutoff {
			total += e.n
		}
	}
	return total
}
