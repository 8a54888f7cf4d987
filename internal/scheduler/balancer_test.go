package scheduler

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"neargate/internal/model"
)

// lb is a balancer whose targets turn healthy at once and drain at once,
// unless told otherwise.
type lb struct {
	mu      sync.Mutex
	targets map[member]*model.TargetHealth
	gone    map[string]bool // target groups that have been deleted
	fails   error           // of calls that change targets
	hold    bool            // draining targets stay until they are set to ""
	fresh   string          // state of newly registered targets
	sick    string          // the group whose new targets are unhealthy; "": none
	log     []string
	changed func(string)

	rules   map[string][]model.WeightedTargetGroup
	broken  error         // of calls that write rules, or that
	stuck   string        // rule; "": all
	refused int           // calls to write a rule that leads elsewhere
	firing  []string      // alarms that are in ALARM
	window  time.Duration // over which alarms are evaluated
}

// Forwards returns what a rule says.
func (b *lb) Forwards(rule string) ([]model.WeightedTargetGroup, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	groups, ok := b.rules[rule]
	if !ok {
		return nil, model.Errorf(model.NotFound, "RuleNotFound", "One or more rules not found")
	}
	return groups, nil
}

func (b *lb) SetForwards(_ context.Context, rule string, groups []model.WeightedTargetGroup) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil && (b.stuck == "" || b.stuck == rule) {
		return b.broken
	}
	among := func(g model.WeightedTargetGroup) bool {
		return slices.ContainsFunc(groups, func(own model.WeightedTargetGroup) bool { return own.TargetGroupARN == g.TargetGroupARN })
	}
	if !slices.ContainsFunc(b.rules[rule], among) || slices.ContainsFunc(b.rules[rule], func(g model.WeightedTargetGroup) bool { return !among(g) }) {
		b.refused++
		return model.Errorf(model.Conflict, "ResourceInUse", "Rule '%s' leads elsewhere", rule)
	}
	b.rules[rule] = groups
	return nil
}

// InAlarm returns those of the named alarms that fire.
func (b *lb) InAlarm(names []string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(b.firing, name) })
}

// Window returns that of all alarms.
func (b *lb) Window([]string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.window
}

// member is a target in its group.
type member struct {
	group string
	model.Target
}

func newLB() *lb {
	return &lb{targets: map[member]*model.TargetHealth{}, gone: map[string]bool{}, rules: map[string][]model.WeightedTargetGroup{}, fresh: "healthy"}
}

// change changes targets of a group as fn says, or fails.
func (b *lb) change(arn, what string, targets []model.Target, fn func(member)) error {
	defer b.changed(arn)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone[arn] {
		return model.Errorf(model.NotFound, "TargetGroupNotFound", "One or more target groups not found")
	}
	if b.fails != nil {
		return b.fails
	}
	for _, t := range targets {
		b.log = append(b.log, what+" "+t.IP)
		fn(member{arn, t})
	}
	return nil
}

func (b *lb) RegisterTargets(_ context.Context, arn string, targets []model.Target) error {
	return b.change(arn, "register", targets, func(m member) {
		b.targets[m] = &model.TargetHealth{Target: m.Target, State: b.fresh}
		if arn == b.sick {
			b.targets[m].State = "unhealthy"
		}
	})
}

func (b *lb) DeregisterTargets(_ context.Context, arn string, targets []model.Target) error {
	return b.change(arn, "deregister", targets, func(m member) {
		if h := b.targets[m]; h != nil && b.hold {
			h.State = "draining"
		} else {
			delete(b.targets, m)
		}
	})
}

func (b *lb) DeregisterLostTargets(_ context.Context, arn string, targets []model.Target) error {
	return b.change(arn, "lose", targets, func(m member) { delete(b.targets, m) })
}

func (b *lb) TargetHealth(arn string) ([]model.TargetHealth, error) {
	if strings.Contains(arn, "panic") {
		panic("of a target group")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone[arn] {
		return nil, model.Errorf(model.NotFound, "TargetGroupNotFound", "One or more target groups not found")
	}
	var all []model.TargetHealth
	for m, h := range b.targets {
		if m.group == arn {
			all = append(all, *h)
		}
	}
	return all, nil
}

// did reports whether the call was made.
func (b *lb) did(call string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.log, call)
}

// set gives the targets of ip a state, in all groups; "" removes them.
func (b *lb) set(ip, state string) {
	b.mu.Lock()
	changed := map[string]bool{group: true}
	for m, h := range b.targets {
		if ip != "*" && m.IP != ip {
			continue
		}
		changed[m.group] = true
		if state == "" {
			delete(b.targets, m)
			continue
		}
		h.State, h.Description = state, "Request timed out"
	}
	b.mu.Unlock()
	for arn := range changed {
		b.changed(arn)
	}
}

// remove deletes a target group.
func (b *lb) remove(arn string) {
	b.mu.Lock()
	b.gone[arn] = true
	for m := range b.targets {
		if m.group == arn {
			delete(b.targets, m)
		}
	}
	b.mu.Unlock()
	b.changed(arn)
}

func (b *lb) configure(hold bool, fresh string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hold, b.fresh = hold, fresh
}

// sicken has the new targets of a group be unhealthy.
func (b *lb) sicken(arn string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sick = arn
}

// fail has all calls that change targets fail until fail(nil).
func (b *lb) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fails = err
}

func (b *lb) state(ip string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for m, h := range b.targets {
		if m.IP == ip {
			return h.State
		}
	}
	return ""
}

// count is how many targets there are, in all groups.
func (b *lb) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.targets)
}

// drained removes the targets that drain.
func (b *lb) drained() {
	b.mu.Lock()
	changed := map[string]bool{}
	for m, h := range b.targets {
		if h.State == "draining" {
			delete(b.targets, m)
			changed[m.group] = true
		}
	}
	b.mu.Unlock()
	for arn := range changed {
		b.changed(arn)
	}
}
