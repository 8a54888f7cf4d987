package balancer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"neargate/internal/model"
)

// Rules returns the rules of a listener by priority, the default rule last; none
// for an unknown listener.
func (b *Balancer) Rules(listenerARN string) []model.Rule {
	l, ok := b.tables.listeners.Get(listenerARN)
	if !ok {
		return nil
	}
	return append(b.storedRules(listenerARN), b.defaultRule(l))
}

// storedRules is Rules without the default rule.
func (b *Balancer) storedRules(listenerARN string) []model.Rule {
	// A rule's ARN is its listener's with another word and an ID listenerSet it.
	prefix := strings.Replace(listenerARN, ":listener/", ":listener-rule/", 1) + "/"
	rules := b.tables.rules.List(prefix)
	slices.SortFunc(rules, func(a, b model.Rule) int { return a.Priority - b.Priority })
	return rules
}

// Rule returns the rule with the ARN, a default rule too.
func (b *Balancer) Rule(arn string) (model.Rule, bool) {
	if r, ok := b.tables.rules.Get(arn); ok {
		return r, true
	}
	i := strings.LastIndexByte(arn, '/')
	if i < 0 {
		return model.Rule{}, false
	}
	l, ok := b.tables.listeners.Get(strings.Replace(arn[:i], ":listener-rule/", ":listener/", 1))
	if !ok || b.defaultRule(l).ARN != arn {
		return model.Rule{}, false
	}
	return b.defaultRule(l), true
}

// CreateRule adds a rule to a listener and returns it with its ARN set.
// Codes: ListenerNotFound, PriorityInUse, TargetGroupNotFound,
// TargetGroupAssociationLimit.
func (b *Balancer) CreateRule(ctx context.Context, r model.Rule) (model.Rule, error) {
	if err := b.up(ctx); err != nil {
		return r, err
	}
	b.control.Lock()
	defer b.control.Unlock()
	l, ok := b.tables.listeners.Get(r.ListenerARN)
	if !ok {
		return r, errNoListener()
	}
	for _, other := range b.storedRules(r.ListenerARN) {
		if other.Priority == r.Priority {
			return r, errPriority(r.Priority)
		}
	}
	if err := b.checkActions(l, r.Actions); err != nil {
		return r, err
	}
	parts := strings.Split(l.ARN, "/")
	r.ARN = b.cfg.Place.RuleARN(parts[2], parts[3], parts[4], newID())
	if err := b.tables.rules.Put(ctx, r.ARN, r); err != nil {
		return r, err
	}
	b.reroute(l)
	return r, nil
}

func errPriority(p int) error {
	return model.Errorf(model.Conflict, "PriorityInUse", "Priority '%d' is currently in use", p)
}

// UpdateRule lets change make a new record of a rule and puts it in force.
// Priorities are changed with SetRulePriorities. Codes: RuleNotFound,
// OperationNotPermitted for a default rule, TargetGroupNotFound,
// TargetGroupAssociationLimit; an error of change is returned as it is.
func (b *Balancer) UpdateRule(ctx context.Context, arn string, change func(*model.Rule) error) (model.Rule, error) {
	if err := b.up(ctx); err != nil {
		return model.Rule{}, err
	}
	b.control.Lock()
	defer b.control.Unlock()
	r, l, err := b.ownRule(arn)
	if err != nil {
		return r, err
	}
	if err := change(&r); err != nil {
		return r, err
	}
	if err := b.checkActions(l, r.Actions); err != nil {
		return r, err
	}
	if err := b.tables.rules.Put(ctx, arn, r); err != nil {
		return r, err
	}
	b.reroute(l)
	return r, nil
}

// ownRule returns a rule that has a record of its own, with its listener.
func (b *Balancer) ownRule(arn string) (model.Rule, model.Listener, error) {
	r, ok := b.Rule(arn)
	if !ok {
		return r, model.Listener{}, errNoRule()
	}
	if r.Priority == 0 {
		return r, model.Listener{}, model.Errorf(model.Conflict, "OperationNotPermitted", "Default rule '%s' cannot be modified or deleted; change its listener instead", arn)
	}
	l, _ := b.tables.listeners.Get(r.ListenerARN)
	return r, l, nil
}

// DeleteRule deletes a rule. Codes: RuleNotFound, OperationNotPermitted.
func (b *Balancer) DeleteRule(ctx context.Context, arn string) error {
	if err := b.up(ctx); err != nil {
		return err
	}
	b.control.Lock()
	defer b.control.Unlock()
	_, l, err := b.ownRule(arn)
	if err != nil {
		return err
	}
	if _, err := b.tables.rules.Delete(ctx, arn); err != nil {
		return err
	}
	b.reroute(l)
	return nil
}

// SetRulePriorities changes the priorities of rules, all or none. Codes:
// RuleNotFound, OperationNotPermitted, PriorityInUse.
func (b *Balancer) SetRulePriorities(ctx context.Context, priorities map[string]int) ([]model.Rule, error) {
	if err := b.up(ctx); err != nil {
		return nil, err
	}
	b.control.Lock()
	defer b.control.Unlock()
	listeners := map[string]model.Listener{}
	for arn := range priorities {
		_, l, err := b.ownRule(arn)
		if err != nil {
			return nil, err
		}
		listeners[l.ARN] = l
	}
	for arn := range listeners {
		if err := b.clash(arn, priorities); err != nil {
			return nil, err
		}
	}
	var rules []model.Rule
	var failed error
	for _, arn := range slices.Sorted(maps.Keys(priorities)) {
		r, err := b.tables.rules.Update(ctx, arn, func(r model.Rule, _ bool) (model.Rule, error) {
			r.Priority = priorities[arn]
			return r, nil
		})
		rules, failed = append(rules, r), errors.Join(failed, err)
	}
	for _, l := range listeners {
		b.reroute(l)
	}
	return rules, failed
}

// clash reports whether two rules of a listener would have the same priority.
func (b *Balancer) clash(listenerARN string, priorities map[string]int) error {
	taken := map[int]bool{}
	for _, r := range b.storedRules(listenerARN) {
		p, changed := priorities[r.ARN]
		if !changed {
			p = r.Priority
		}
		if taken[p] {
			return errPriority(p)
		}
		taken[p] = true
	}
	return nil
}
