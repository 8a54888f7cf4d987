package steady

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"neargate/internal/model"
)

// cost is the CPU time of one request, and busy how much of its size a task
// uses at the steady load: the policy's target.
const (
	cost = 20 * time.Millisecond
	busy = 0.5
)

// world stands in for what needs real containers and connections: it makes the
// requests up, and the CPU time that they cost. Each service has a target group
// and a load balancer of its own.
type world struct {
	rate   float64 // requests per second to each service
	rng    *rand.Rand
	values []float64 // of latency buckets
	tasks  []model.ServiceTasks
	at     time.Time
	state  map[string]*state // by service
	cpu    map[string]time.Duration

	mu      sync.Mutex
	targets map[string]map[model.Target]time.Time // guarded by mu; by target group
	changed func(targetGroupARN string)
}

type state struct {
	group    model.TargetGroupTraffic
	balancer model.LoadBalancerTraffic
}

func newWorld(tasks int) *world {
	w := &world{
		rate: float64(tasks) * float64(taskCPU) / 1024 * busy / cost.Seconds(),
		rng:  rand.New(rand.NewPCG(1, 2)), state: map[string]*state{}, cpu: map[string]time.Duration{},
		targets: map[string]map[model.Target]time.Time{},
	}
	for v := 0.001; v < 10; v *= 1.02 {
		w.values = append(w.values, v)
	}
	return w
}

func groupARN(service string) string {
	return place().TargetGroupARN(service, "0123456789abcdef")
}

// advance lets the time since the last call go by: Poisson arrivals, answered
// at once, their CPU time spread over the service's tasks.
func (w *world) advance(services []model.ServiceTasks, now time.Time) {
	elapsed := now.Sub(w.at).Seconds()
	if w.at.IsZero() {
		elapsed = 1
	}
	w.tasks, w.at = services, now
	for _, t := range services {
		s := w.state[t.Service]
		if s == nil {
			s = &state{}
			s.group.TargetGroupARN = groupARN(t.Service)
			s.group.LoadBalancerARN = place().LoadBalancerARN(t.Service, "0123456789abcdef")
			s.balancer.LoadBalancerARN = s.group.LoadBalancerARN
			s.group.ResponseTime = model.Buckets{Values: w.values, Counts: make([]uint64, len(w.values))}
			w.state[t.Service] = s
		}
		s.group.Healthy = len(t.Running)
		if len(t.Running) == 0 {
			continue
		}
		n := w.poisson(w.rate * elapsed)
		s.group.Arrivals += n
		s.group.Completed += n
		s.group.Status[2] += n
		s.balancer.Requests += n
		s.balancer.ProcessedBytes += 1000 * n
		// The one before is kept by who has read it.
		s.group.ResponseTime.Counts = slices.Clone(s.group.ResponseTime.Counts)
		for range n {
			at := int(w.rng.ExpFloat64()*20) + 150 // about 20 ms
			at = min(at, len(w.values)-1)
			s.group.ResponseTime.Counts[at]++
			s.group.ResponseTime.Sum += w.values[at]
		}
		share := time.Duration(n) * cost / time.Duration(len(t.Running))
		for _, id := range t.Running {
			w.cpu[id] += share
		}
	}
}

// poisson draws a number of arrivals; for so many the normal distribution is
// near enough.
func (w *world) poisson(mean float64) uint64 {
	return uint64(max(0, math.Round(mean+w.rng.NormFloat64()*math.Sqrt(mean))))
}

func (w *world) samples() []model.Sample {
	out := make([]model.Sample, 0, len(w.cpu))
	for _, t := range w.tasks {
		for _, id := range t.Running {
			out = append(out, model.Sample{TaskID: id, At: w.at, CPU: w.cpu[id], Memory: 50 << 20})
		}
	}
	return out
}

func (w *world) traffic() []model.TargetGroupTraffic {
	out := make([]model.TargetGroupTraffic, 0, len(w.tasks))
	for _, t := range w.tasks {
		out = append(out, w.state[t.Service].group)
	}
	return out
}

func (w *world) balancers() []model.LoadBalancerTraffic {
	out := make([]model.LoadBalancerTraffic, 0, len(w.tasks))
	for _, t := range w.tasks {
		out = append(out, w.state[t.Service].balancer)
	}
	return out
}

// TargetGroup returns the group of any ARN.
func (w *world) TargetGroup(arn string) (model.TargetGroup, bool) {
	return model.TargetGroup{ARN: arn, TargetType: "ip"}, true
}

// Forwards returns none: no traffic is shifted here.
func (w *world) Forwards(string) ([]model.WeightedTargetGroup, error) { return nil, nil }

// SetForwards does nothing: it is not called.
func (w *world) SetForwards(context.Context, string, []model.WeightedTargetGroup) error { return nil }

// InAlarm returns none: deployments have no alarms here.
func (w *world) InAlarm([]string) []string { return nil }

// Window returns none, as there are no alarms.
func (w *world) Window([]string) time.Duration { return 0 }

// TargetGroupLoadBalancers returns the one load balancer there is.
func (w *world) TargetGroupLoadBalancers(string) []string { return []string{"lb"} }

// RegisterTargets makes targets healthy at once.
func (w *world) RegisterTargets(_ context.Context, arn string, targets []model.Target) error {
	w.mu.Lock()
	if w.targets[arn] == nil {
		w.targets[arn] = map[model.Target]time.Time{}
	}
	for _, t := range targets {
		w.targets[arn][t] = time.Now()
	}
	w.mu.Unlock()
	w.changed(arn)
	return nil
}

// DeregisterTargets takes targets away at once.
func (w *world) DeregisterTargets(_ context.Context, arn string, targets []model.Target) error {
	w.mu.Lock()
	for _, t := range targets {
		delete(w.targets[arn], t)
	}
	w.mu.Unlock()
	w.changed(arn)
	return nil
}

// DeregisterLostTargets is DeregisterTargets.
func (w *world) DeregisterLostTargets(ctx context.Context, arn string, targets []model.Target) error {
	return w.DeregisterTargets(ctx, arn, targets)
}

// TargetHealth returns a group's targets, all healthy.
func (w *world) TargetHealth(arn string) ([]model.TargetHealth, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []model.TargetHealth
	for t, since := range w.targets[arn] {
		out = append(out, model.TargetHealth{Target: t, State: "healthy", Since: since})
	}
	return out, nil
}

// logGroups has every group.
type logGroups struct{}

// HasGroup says yes.
func (logGroups) HasGroup(string) bool { return true }

// EnsureGroup has nothing to do.
func (logGroups) EnsureGroup(context.Context, string) error { return nil }
