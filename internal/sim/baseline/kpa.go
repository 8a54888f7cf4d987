package baseline

import (
	"math"

	"neargate/internal/model"
)

// Defaults of the Knative pod autoscaler, times in seconds
// (knative/serving/config/core/configmaps/autoscaler.yaml).
const (
	kpaTick           = 2
	kpaStable         = 60
	kpaPanic          = 6 // 10 % of the stable window
	kpaPanicThreshold = 2.0
	kpaMaxUp          = 1000.0
	kpaMaxDown        = 2.0
	kpaGrace          = 30 // before the last pod goes
)

// KPAConcurrency is how many requests at once KPA is set to keep at each task,
// for each part of the utilisation target: a task of one vCPU that is 50 % busy
// behind least-requests routing has about 0.55 requests. It is tuned: Knative's
// own default of 70 of 100 would not scale work that fills a CPU.
const KPAConcurrency = 1.1

// KPA is the Knative pod autoscaler on concurrency
// (knative/serving/pkg/autoscaler/scaling/autoscaler.go). Requests that wait
// at the balancer count, as those in the activator do.
type KPA struct {
	scaler
	target        float64 // requests at once at one task
	stable, panic window
	panicking     bool
	panicAt       int // over the threshold last
	panicPods     int // the most seen while panicking
	idle          int // since when nothing is wanted, -1 when something is
}

// NewKPA creates a KPA. It begins in panic when there is more than one task, so
// that it takes nothing away while it has no history.
func NewKPA(s Setting) *KPA {
	k := &KPA{scaler: newScaler(s), target: KPAConcurrency * s.Target / 100, stable: newWindow(kpaStable), panic: newWindow(kpaPanic), idle: -1}
	if s.Initial > 1 {
		k.panicking, k.panicPods = true, s.Initial
	}
	return k
}

// Second is a Scaler's.
func (k *KPA) Second(s model.ServiceSecond) (int, string) {
	at := float64(s.InFlight + s.Queued)
	k.stable.add(at)
	k.panic.add(at)
	if k.second()%kpaTick != 0 {
		return k.keep()
	}
	ready, _ := k.serving()
	n := k.scale(float64(max(ready, 1)), k.stable.mean(), k.panic.mean(), k.second())
	if n == 0 {
		if k.idle < 0 {
			k.idle = k.second()
		}
		if k.second()-k.idle < kpaGrace {
			n = min(1, k.desired)
		}
	} else {
		k.idle = -1
	}
	mode := "stable"
	if k.panicking {
		mode = "panic"
	}
	return k.want(n, "kpa: %s, %.2f requests at once in %d s, %.2f in %d s", mode, k.stable.mean(), kpaStable, k.panic.mean(), kpaPanic)
}

// scale is Autoscaler.Scale.
func (k *KPA) scale(ready, stable, panicking float64, now int) int {
	most, least := math.Ceil(kpaMaxUp*ready), math.Floor(ready/kpaMaxDown)
	wantStable, wantPanic := math.Ceil(stable/k.target), math.Ceil(panicking/k.target)
	over := wantPanic/ready >= kpaPanicThreshold
	switch {
	case over:
		k.panicking, k.panicAt = true, now
	case k.panicking && now-k.panicAt > kpaStable:
		k.panicking, k.panicPods = false, 0
	}
	n := int(min(max(wantStable, least), most))
	if k.panicking {
		n = max(n, int(min(max(wantPanic, least), most)))
		k.panicPods = max(k.panicPods, n)
		n = k.panicPods // nothing is taken away in panic
	}
	return n
}
