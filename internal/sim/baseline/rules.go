package baseline

import (
	"math"

	"neargate/internal/model"
)

// Constants of the Nomad autoscaler, times in seconds (hashicorp/nomad-autoscaler:
// plugins/builtin/strategy/target-value, policy defaults).
const (
	nomadEvaluation = 10
	nomadCooldown   = 300
	nomadThreshold  = 0.01
)

// Nomad is the Nomad autoscaler's target-value strategy on the mean CPU of the
// tasks. It uses the last sample alone, which here is that of one second.
type Nomad struct {
	scaler
	quiet int // until then it rests
}

// NewNomad creates a Nomad.
func NewNomad(s Setting) *Nomad { return &Nomad{scaler: newScaler(s)} }

// Second is a Scaler's.
func (m *Nomad) Second(model.ServiceSecond) (int, string) {
	now := m.second()
	n, cpu := m.serving()
	if now%nomadEvaluation != 0 || now < m.quiet || n == 0 {
		return m.keep()
	}
	factor := cpu / float64(n) / m.VCPU * 100 / m.Target
	if math.Abs(factor-1) <= nomadThreshold {
		return m.keep()
	}
	want := int(math.Ceil(float64(m.desired) * factor))
	if m.desired == 0 {
		want = int(math.Ceil(factor))
	}
	before := m.desired
	count, reason := m.want(want, "nomad: factor %.3f", factor)
	if count != before {
		m.quiet = now + nomadCooldown
	}
	return count, reason
}

// Constants of a Google managed instance group's autoscaler, in seconds
// (cloud.google.com/compute/docs/autoscaler/understanding-autoscaler-decisions).
// How often it decides is not documented; ten seconds is modelled.
const (
	gceStabilization = 600
	gceInit          = 60
	gceEvaluation    = 10
)

// GCE is the autoscaler of a managed instance group on CPU: it sizes for the
// peak of the last ten minutes. Tasks in their initialization period are taken
// to be as busy as the others.
type GCE struct {
	scaler
	usage window // of the last evaluation period, parts of a task
	peaks window // recommended sizes, one an evaluation
}

// NewGCE creates a GCE.
func NewGCE(s Setting) *GCE {
	return &GCE{scaler: newScaler(s), usage: newWindow(gceEvaluation), peaks: newWindow(gceStabilization / gceEvaluation)}
}

// Second is a Scaler's.
func (g *GCE) Second(model.ServiceSecond) (int, string) {
	var n, settled int
	var cpu, all float64
	for _, t := range g.view.Tasks {
		if !t.Serving || t.Draining {
			continue
		}
		n++
		all += t.CPU
		if float64(g.second())-t.Ready >= gceInit {
			settled++
			cpu += t.CPU
		}
	}
	if settled == 0 { // a young group
		settled, cpu = n, all
	}
	if settled > 0 {
		g.usage.add(cpu / float64(settled) / g.VCPU)
	}
	if g.second()%gceEvaluation != 0 || g.usage.n == 0 {
		return g.keep()
	}
	g.peaks.add(math.Ceil(g.usage.mean()*float64(n)*100/g.Target - 1e-9))
	// Until it has seen the whole period it takes nothing away.
	peak := int(g.peaks.max())
	if g.second() < gceStabilization {
		peak = max(peak, g.desired)
	}
	return g.want(peak, "gce: peak of ten minutes needs %d", peak)
}

// Constants of CPURule, in seconds.
const (
	cpuRuleWindow   = 10
	cpuRuleBand     = 0.1
	cpuRuleCooldown = 30
)

// CPURule is what one writes first: the mean CPU of ten seconds, a band of
// 10 % about the target, and cooldowns of 30 seconds both ways.
type CPURule struct {
	scaler
	usage window
	quiet int
}

// NewCPURule creates a CPURule.
func NewCPURule(s Setting) *CPURule {
	return &CPURule{scaler: newScaler(s), usage: newWindow(cpuRuleWindow)}
}

// Second is a Scaler's.
func (c *CPURule) Second(model.ServiceSecond) (int, string) {
	n, cpu := c.serving()
	if n == 0 {
		return c.keep()
	}
	c.usage.add(cpu / float64(n) / c.VCPU)
	ratio := c.usage.mean() * 100 / c.Target
	if c.usage.n < cpuRuleWindow || c.second() < c.quiet || math.Abs(ratio-1) <= cpuRuleBand {
		return c.keep()
	}
	before := c.desired
	count, reason := c.want(int(math.Ceil(float64(n)*ratio-1e-9)), "cpu: %.1f %% of target %.0f %%", 100*c.usage.mean(), c.Target)
	if count != before {
		c.quiet = c.second() + cpuRuleCooldown
	}
	return count, reason
}
