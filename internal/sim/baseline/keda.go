package baseline

import (
	"math"

	"neargate/internal/model"
)

// Defaults of a KEDA ScaledObject, in seconds
// (kedacore/keda/apis/keda/v1alpha1/scaledobject_types.go).
const (
	kedaPolling  = 30
	kedaCooldown = 300 // from 1 to 0 only
)

// KEDA polls a trigger and feeds an HPA with an external metric of type
// AverageValue. The trigger is the CPU that all tasks use, as a query to
// Prometheus over the polling interval gives it. KEDA itself only scales
// between 0 and 1, when the minimum is 0.
type KEDA struct {
	scaler
	behaviour behaviour
	cpu       window
	polled    float64 // vCPU
	active    int     // the last poll that saw requests
}

// NewKEDA creates a KEDA.
func NewKEDA(s Setting) *KEDA {
	return &KEDA{scaler: newScaler(s), behaviour: newBehaviour(s.Initial), cpu: newWindow(kedaPolling)}
}

// Second is a Scaler's.
func (k *KEDA) Second(s model.ServiceSecond) (int, string) {
	_, cpu := k.serving()
	k.cpu.add(cpu)
	now := k.second()
	if now%kedaPolling == 0 {
		k.polled = k.cpu.mean()
		if k.polled > 0 || s.Queued > 0 {
			k.active = now
		}
	}
	switch {
	case k.desired == 0 && k.active == now:
		k.behaviour = newBehaviour(1)
		return k.want(1, "keda: the trigger is active")
	case k.desired == 0:
		return k.keep()
	case k.desired == 1 && k.Min == 0 && now-k.active >= kedaCooldown:
		return k.want(0, "keda: not active for %d s", now-k.active)
	case now%hpaSync != 0:
		return k.keep()
	}
	n := k.behaviour.normalize(k.replicas(), k.desired, max(k.Min, 1), k.Max, now)
	return k.want(n, "keda: %.2f vCPU in use", k.polled)
}

// replicas is GetExternalPerPodMetricReplicas.
func (k *KEDA) replicas() int {
	pods := 0
	for _, t := range k.view.Tasks {
		if !t.Draining {
			pods++
		}
	}
	each := k.VCPU * k.Target / 100
	ratio := k.polled / (each * float64(max(pods, 1)))
	if math.Abs(1-ratio) <= hpaTolerance {
		return k.desired
	}
	return int(math.Ceil(k.polled/each - 1e-9))
}
