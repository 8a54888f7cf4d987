package balancer

import (
	"context"
	"slices"

	"neargate/internal/model"
)

// CreateTargetGroup creates a target group from tg and returns it with
// ARN and ID set. Codes: DuplicateTargetGroupName.
func (b *Balancer) CreateTargetGroup(ctx context.Context, tg model.TargetGroup) (model.TargetGroup, error) {
	if err := b.up(ctx); err != nil {
		return tg, err
	}
	b.control.Lock()
	defer b.control.Unlock()
	for _, other := range b.tables.groups.List("") {
		if other.Name == tg.Name {
			return tg, model.Errorf(model.Conflict, "DuplicateTargetGroupName",
				"A target group with the same name '%s' exists, but with different settings", tg.Name)
		}
	}
	tg.ID = newID()
	tg.ARN = b.cfg.Place.TargetGroupARN(tg.Name, tg.ID)
	if err := b.tables.groups.Put(ctx, tg.ARN, tg); err != nil {
		return tg, err
	}
	b.addGroup(tg)
	return tg, nil
}

func (b *Balancer) addGroup(tg model.TargetGroup) {
	g := newGroup(tg)
	g.cookies, g.awaken = b.cookies, b.cfg.Awaken
	b.mu.Lock()
	defer b.mu.Unlock()
	b.groups[tg.ARN] = g
}

func (b *Balancer) group(arn string) (*group, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	g, ok := b.groups[arn]
	return g, ok
}

// TargetGroups returns all target groups, by ARN.
func (b *Balancer) TargetGroups() []model.TargetGroup { return b.tables.groups.List("") }

// TargetGroup returns the target group with the ARN.
func (b *Balancer) TargetGroup(arn string) (model.TargetGroup, bool) { return b.tables.groups.Get(arn) }

// TargetGroupLoadBalancers returns the ARNs of the load balancers whose listeners
// or rules forward to the target group.
func (b *Balancer) TargetGroupLoadBalancers(arn string) []string {
	g, ok := b.group(arn)
	if !ok {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.usedBy)
}

// UpdateTargetGroup lets change make a new record of a target group, stores it
// and puts it in force. ARN, name, protocol and port must not change. Codes:
// TargetGroupNotFound; an error of change is returned as it is.
func (b *Balancer) UpdateTargetGroup(ctx context.Context, arn string, change func(*model.TargetGroup) error) (model.TargetGroup, error) {
	if err := b.up(ctx); err != nil {
		return model.TargetGroup{}, err
	}
	b.control.Lock()
	defer b.control.Unlock()
	tg, err := b.tables.groups.Update(ctx, arn, func(tg model.TargetGroup, exists bool) (model.TargetGroup, error) {
		if !exists {
			return tg, errNoTargetGroup()
		}
		err := change(&tg)
		return tg, err
	})
	if err != nil {
		return tg, err
	}
	if g, ok := b.group(arn); ok {
		g.reconfigure(readGroup(tg))
	}
	return tg, nil
}

// DeleteTargetGroup deletes a target group and forgets its targets. An unknown
// one is deleted already, as on AWS. Codes: ResourceInUse.
func (b *Balancer) DeleteTargetGroup(ctx context.Context, arn string) error {
	if err := b.up(ctx); err != nil {
		return err
	}
	b.control.Lock()
	defer b.control.Unlock()
	g, ok := b.group(arn)
	if !ok {
		return nil
	}
	g.mu.Lock()
	used := len(g.usedBy) > 0
	g.mu.Unlock()
	if used {
		return model.Errorf(model.Conflict, "ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", arn)
	}
	if _, err := b.tables.groups.Delete(ctx, arn); err != nil {
		return err
	}
	b.mu.Lock()
	delete(b.groups, arn)
	b.mu.Unlock()
	return b.forgetTargets(ctx, g)
}

// forgetTargets drops all targets of a deleted group.
func (b *Balancer) forgetTargets(ctx context.Context, g *group) error {
	g.mu.Lock()
	g.gone = true
	targets := make([]*target, 0, len(g.targets))
	for _, t := range g.targets {
		targets = append(targets, t)
	}
	g.mu.Unlock()
	for _, t := range targets {
		unlock := b.targetLocks.lock(targetKey(g.arn, t.at))
		_, err := b.tables.targets.Delete(ctx, targetKey(g.arn, t.at))
		b.drop(t)
		unlock()
		if err != nil {
			return err
		}
	}
	return nil
}
