package scheduler

import (
	"testing"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/ecs"
	"neargate/internal/model"
)

// A deployment with alarms is not done before each of them has been evaluated
// over tasks of the new revision alone, whatever the strategy.
func TestAlarmsHaveTheirTime(t *testing.T) {
	const window = 3 * time.Minute
	alarms := &model.DeploymentAlarms{Names: []string{"errors"}, Enable: true, Rollback: true}
	rolling := ecs.RolloutSettings{Alarms: alarms}
	short := ecs.RolloutSettings{Strategy: new(model.BlueGreen), Bake: new(time.Minute), Alarms: alarms}
	long := blueGreen()
	long.Alarms = alarms
	off := rolling
	off.Alarms = &model.DeploymentAlarms{Names: alarms.Names}
	for name, row := range map[string]struct {
		settings ecs.RolloutSettings
		firing   bool // an alarm, as the deployment begins: they do not count then
		want     time.Duration
	}{
		"rolling":                           {rolling, false, window},
		"rolling, with alarms that are off": {off, false, 0},
		"rolling, in ALARM from the start":  {rolling, true, 0},
		"blue/green with less":              {short, false, window},
		"blue/green with more":              {long, false, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.lb.mu.Lock()
				r.lb.window = window
				r.lb.mu.Unlock()
				if row.settings.Strategy != nil {
					r.create(1, r.shifting(row.settings))
				} else {
					r.create(1, func(req *ecs.CreateServiceRequest) { req.Settings.Rollout = row.settings })
				}
				time.Sleep(6 * time.Minute)
				r.stable(1)
				if row.firing {
					r.lb.mu.Lock()
					r.lb.firing = alarms.Names
					r.lb.mu.Unlock()
				}
				r.deploy(nil, nil)
				if row.want > 0 {
					r.stage(model.StageBake)
				}
				began := time.Now()
				r.until("completed", func() bool {
					svc, _ := r.Service("c", "s")
					return svc.Deployments[0].RolloutState == rollout.Completed
				})
				if took := time.Since(began); took < row.want-time.Second || took > row.want+15*time.Second {
					t.Errorf("completed %v after all was in place, want %v", took, row.want)
				}
			})
		})
	}
}

// An alarm of the time after a rolling update, when all its tasks run, fails it.
func TestAlarmAfterARollingUpdate(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.lb.mu.Lock()
		r.lb.window = 4 * time.Minute
		r.lb.mu.Unlock()
		first := r.create(1, func(req *ecs.CreateServiceRequest) {
			req.Settings.Rollout.Alarms = &model.DeploymentAlarms{Names: []string{"errors"}, Enable: true, Rollback: true}
		})
		time.Sleep(5 * time.Minute)
		r.stable(1)
		r.deploy(nil, nil)
		r.stage(model.StageBake)
		time.Sleep(2 * time.Minute)
		r.lb.mu.Lock()
		r.lb.firing = []string{"errors"}
		r.lb.mu.Unlock()
		r.until("rolled back", func() bool { return r.latest().Status == model.DeploymentRolledBack })
		r.stable(1)
		svc, _ := r.Service("c", "s")
		if got := svc.Deployments[0].TaskDefinitionARN; got != first.Deployments[0].TaskDefinitionARN {
			t.Errorf("the service has %s, want the first definition", got)
		}
	})
}
