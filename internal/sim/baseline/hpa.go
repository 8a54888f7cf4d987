package baseline

import (
	"math"

	"neargate/internal/model"
)

// Constants of the Kubernetes HPA, in seconds where they are times.
// pkg/controller/podautoscaler/config/v1alpha1/defaults.go, and
// pkg/apis/autoscaling/v2/defaults.go for the behaviour.
const (
	hpaSync           = 15
	hpaTolerance      = 0.1
	hpaInitialization = 300 // cpuInitializationPeriod
	hpaScrape         = 15  // metrics-server's resolution: a pod's sample is the mean of this
)

// hpaLag is how old the end of the newest sample is at a sync: about 10 s of
// the kubelet's housekeeping and half of metrics-server's resolution. A load
// change is then seen 17 to 32 s later.
const hpaLag = 17

// HPA is the Kubernetes horizontal pod autoscaler on CPU utilisation with its
// default behaviour.
//
// It follows replica_calculator.go and horizontal.go of
// kubernetes/kubernetes/pkg/controller/podautoscaler. A task is a pod whose
// request is its size; until it serves it is unready.
type HPA struct {
	scaler
	lag       int
	behaviour behaviour
	usage     map[int]*podUsage
}

// podUsage is the CPU of a pod in the last seconds.
type podUsage struct {
	ready float64
	cpu   []float64 // oldest first, one for each second since it is ready
	seen  int
}

// NewHPA creates an HPA whose metrics are as late as they are in a cluster.
func NewHPA(s Setting) *HPA {
	return &HPA{scaler: newScaler(s), lag: hpaLag, behaviour: newBehaviour(s.Initial), usage: map[int]*podUsage{}}
}

// NewFastHPA creates an HPA that gets samples which end at its sync.
func NewFastHPA(s Setting) *HPA {
	h := NewHPA(s)
	h.lag = 0
	return h
}

// Second is a Scaler's.
func (h *HPA) Second(model.ServiceSecond) (int, string) {
	h.record()
	if h.second()%hpaSync != 0 {
		return h.keep()
	}
	replicas := h.replicas(h.pods())
	n := h.behaviour.normalize(replicas, h.desired, h.Min, h.Max, h.second())
	return h.want(n, "hpa: %d replicas recommended", replicas)
}

// record keeps each pod's last seconds.
func (h *HPA) record() {
	now := h.second()
	for _, t := range h.view.Tasks {
		if !t.Serving {
			continue
		}
		u := h.usage[t.Number]
		if u == nil {
			u = &podUsage{ready: t.Ready}
			h.usage[t.Number] = u
		}
		u.cpu, u.seen = append(u.cpu, t.CPU), now
		if over := len(u.cpu) - h.lag - hpaScrape; over > 0 {
			u.cpu = u.cpu[over:]
		}
	}
	for n, u := range h.usage {
		if u.seen != now {
			delete(h.usage, n)
		}
	}
}

// pod is what the replica calculator knows of one.
type pod struct {
	usage   float64 // parts of its request
	unready bool    // or its sample began before it was ready
	missing bool    // no sample
}

func (h *HPA) pods() []pod {
	now := float64(h.second())
	end := now - float64(h.lag)
	var out []pod
	for _, t := range h.view.Tasks {
		if t.Draining { // it has a deletion timestamp
			continue
		}
		u := h.usage[t.Number]
		switch {
		case u == nil:
			out = append(out, pod{unready: true})
			continue
		case len(u.cpu) <= h.lag:
			out = append(out, pod{missing: true})
			continue
		}
		from := u.cpu[:len(u.cpu)-h.lag]
		var sum float64
		for _, v := range from {
			sum += v
		}
		p := pod{usage: sum / float64(len(from)) / h.VCPU}
		if now-t.Ordered < hpaInitialization {
			p.unready = end < u.ready+hpaScrape
		}
		out = append(out, p)
	}
	return out
}

// replicas is GetResourceReplicas: the ratio of usage and target over the pods
// with samples; missing and unready ones are then filled in so that they
// dampen the change.
func (h *HPA) replicas(pods []pod) int {
	current := h.desired
	var counted []float64
	var unready, missing int
	for _, p := range pods {
		switch {
		case p.missing:
			missing++
		case p.unready:
			unready++
		default:
			counted = append(counted, p.usage)
		}
	}
	if len(counted) == 0 {
		return current
	}
	ready := len(counted)
	ratio := h.ratio(counted)
	up := unready > 0 && ratio > 1
	if !up && missing == 0 {
		if math.Abs(1-ratio) <= hpaTolerance {
			return current
		}
		return int(math.Ceil(ratio * float64(ready)))
	}
	switch {
	case ratio < 1:
		counted = append(counted, repeat(math.Max(1, h.Target/100), missing)...)
	case ratio > 1:
		counted = append(counted, repeat(0, missing)...)
	}
	if up {
		counted = append(counted, repeat(0, unready)...)
	}
	again := h.ratio(counted)
	if math.Abs(1-again) <= hpaTolerance || ratio < 1 && again > 1 || ratio > 1 && again < 1 {
		return current
	}
	n := int(math.Ceil(again * float64(len(counted))))
	if again < 1 && n > current || again > 1 && n < current {
		return current
	}
	return n
}

// ratio is GetResourceUtilizationRatio, which cuts the utilisation to whole
// percent.
func (h *HPA) ratio(usage []float64) float64 {
	var sum float64
	for _, u := range usage {
		sum += u
	}
	return math.Floor(100*sum/float64(len(usage))+1e-9) / h.Target
}

func repeat(v float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}
