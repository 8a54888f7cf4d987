package health

import "math"

// How ELB finds anomalies it does not say, but for their signs: answers of 5xx and
// failed connections, compared with the other targets of the group
// (load-balancer-target-groups, "Automatic Target Weights"). The figures are ours.
const (
	// anomalyTargets is the least number of healthy targets with which ELB compares.
	anomalyTargets = 3
	// anomalyMemory is what a second leaves of the counts before it: those of the
	// last ten seconds make up two thirds.
	anomalyMemory = 0.9
	// anomalousMemory is that of a target that is anomalous: with the few requests
	// which it gets, its failures before those would speak against it for long.
	anomalousMemory = 0.7
	// anomalyRequests and anomalyFailures are the least evidence, after memory.
	anomalyRequests = 5
	anomalyFailures = 3
	// anomalyMargin is by how much a target must fail more often than the others.
	anomalyMargin = 0.05
	// anomalySigma is how many standard deviations the difference must be.
	anomalySigma = 4
	// A second in which an anomalous target fails halves its weight, down to
	// weightFloor; in one in which it does not the weight grows by weightProbe, so
	// that there are requests which show whether it is well. That of a normal one
	// grows by weightStep.
	weightFloor = 1.0 / 64
	weightProbe = 0.01
	weightStep  = 0.05
)

// Anomaly is what the requests to one target showed of it beside the others. The
// zero value is a target about which nothing is known.
type Anomaly struct {
	Requests, Failures float64 // of late
	Anomalous          bool
	Lack               float64 // what it lacks of its full weight, 0 to 1
}

// Weight returns the target's weight among the others, 1 when it is full.
func (a Anomaly) Weight() float64 { return 1 - a.Lack }

// Mitigated reports whether the target gets fewer requests for its anomaly.
func (a Anomaly) Mitigated() bool { return a.Lack > 0 }

// Seen is what a second has shown of one target.
type Seen struct {
	Requests, Failures int
}

// Judge returns the states of healthy targets after a second in which they showed
// seen. With mitigate the weights of anomalous ones fall at once and grow again
// slowly, unless half of the targets or more are anomalous: then the fault is not
// theirs.
func Judge(targets []Anomaly, seen []Seen, mitigate bool) []Anomaly {
	out := make([]Anomaly, len(targets))
	var requests, failures float64
	for i, a := range targets {
		memory := anomalyMemory
		if a.Anomalous {
			memory = anomalousMemory
		}
		a.Requests = a.Requests*memory + float64(seen[i].Requests)
		a.Failures = a.Failures*memory + float64(seen[i].Failures)
		requests, failures = requests+a.Requests, failures+a.Failures
		out[i] = a
	}
	anomalous := 0
	for i := range out {
		a := &out[i]
		a.Anomalous = len(out) >= anomalyTargets && a.differs(requests-a.Requests, failures-a.Failures)
		if a.Anomalous {
			anomalous++
		}
	}
	for i := range out {
		out[i].weigh(seen[i], mitigate && 2*anomalous < len(out))
	}
	return out
}

// differs reports whether a target fails more often than the others together.
func (a *Anomaly) differs(requests, failures float64) bool {
	if requests < 1 {
		return false
	}
	if a.Requests < anomalyRequests { // nothing new: it is what it was
		return a.Anomalous
	}
	own, others := a.Failures/a.Requests, failures/requests
	if own < others+anomalyMargin {
		return false
	}
	if a.Anomalous {
		return true
	}
	both := (a.Failures + failures) / (a.Requests + requests)
	deviation := math.Sqrt(both * (1 - both) * (1/a.Requests + 1/requests))
	return a.Failures >= anomalyFailures && own-others > anomalySigma*deviation
}

func (a *Anomaly) weigh(seen Seen, mitigate bool) {
	switch {
	case a.Anomalous && mitigate && seen.Failures > 0:
		a.Lack = 1 - max(weightFloor, (1-a.Lack)/2)
	case a.Anomalous && mitigate:
		a.Lack = max(0, a.Lack-weightProbe)
	default:
		a.Lack = max(0, a.Lack-weightStep)
	}
}
