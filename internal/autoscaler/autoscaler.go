// Package autoscaler keeps scalable targets, their scaling policies and what
// came of them, and sets desired counts: each second it shows every service's
// last second to decide/scaling and does what that decides.
//
// It owns the targets, policies, forecasts, scheduled actions and scaling
// activities in the store and the managed alarms of its policies. All methods
// are safe for concurrent use. The decisions themselves are made by Run alone,
// one service after the other. The state they rest on survives a restart, so
// cooldowns go on; no count is lowered in the first minute after one.
package autoscaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/decide/schedule"
	"neargate/internal/model"
	"neargate/internal/store"
)

// scheduler is what counts are read from and set on.
type scheduler interface {
	// Service returns a service, also an INACTIVE one.
	Service(cluster, name string) (model.Service, bool)
	// SetDesiredCount returns when the order is kept.
	SetDesiredCount(ctx context.Context, cluster, service string, n int) error
}

// alarmBook keeps the alarms: the managed ones, and those of users.
type alarmBook interface {
	PutAlarm(ctx context.Context, al model.Alarm) error
	// DeleteAlarms deletes those that are there, also if others are not.
	DeleteAlarms(ctx context.Context, names []string) error
	Alarm(name string) (model.Alarm, bool)
	// AlarmsFor returns the alarms that have an action in some state, by name.
	AlarmsFor(action string) []model.Alarm
	// Recent returns the datapoints that an alarm's state rests on, oldest first.
	Recent(name string) []float64
}

// queues is where requests wait while their service is overloaded.
type queues interface {
	// Hold limits how many requests may be in flight at each target of a
	// target group; 0 is any number.
	Hold(targetGroupARN string, perTarget int)
}

// metrics is where customized metrics are read.
type metrics interface {
	// Returned returns the last complete datapoints of what queries return,
	// oldest first: of their periods, or with fine of seconds, where the
	// metrics are published so.
	Returned(queries []model.MetricQuery, fine bool, now time.Time) ([]model.Reading, error)
}

// Config is what an Autoscaler may be told.
type Config struct {
	Place  model.Place
	Timing scaling.Timing // of targets without the tag neargate:timing; "" is live
	// History is what forecasts are made from; with none there are no forecasts.
	History History
	// Queues holds back requests while a service is overloaded; with none they
	// all go to the tasks at once.
	Queues queues
}

// Autoscaler scales services. Make it with New.
type Autoscaler struct {
	cfg    Config
	sched  scheduler
	alarms alarmBook
	data   metrics
	log    *slog.Logger
	now    func() time.Time

	targets    *store.Table[model.ScalableTarget]  // by resource ID
	policies   *store.Table[model.ScalingPolicy]   // by policyKey
	activities *store.Table[model.ScalingActivity] // by activityKey
	memories   *store.Table[memory]                // by resource ID
	scheduled  *store.Table[model.ScheduledAction] // by scheduledKey
	forecasts  *store.Table[model.Forecast]        // by policyKey

	admin   sync.Mutex // held by calls that change targets and policies
	seconds chan []model.ServiceSecond
	kick    chan struct{} // a bound has moved, or a request has found no task

	watched map[string]*watch    // by resource ID; owned by Run
	tried   map[string]time.Time // when a forecast was, by policyKey; owned by Run
	held    map[string]held      // by ARN of the target group; owned by Run
	looked  time.Time            // which forecasts are due; owned by Run

	mu      sync.Mutex
	moved   map[string]scaling.Bounds // guarded by mu: by resource ID, what counts are to be moved into
	woken   map[string]int            // guarded by mu: by resource ID, requests that found no task
	roots   roots                     // guarded by mu
	reasons map[string]*ring          // guarded by mu: by resource ID
	rest    schedule.Rest             // guarded by mu: of the scheduled actions
}

// queuedSeconds is how many seconds may wait for Run; beyond that the newest
// is dropped, as Run is stuck and old seconds decide nothing.
const queuedSeconds = 4

// New opens the tables of an autoscaler in db.
func New(db *store.DB, sched scheduler, alarms alarmBook, data metrics, cfg Config, log *slog.Logger) (*Autoscaler, error) {
	if cfg.Timing == "" {
		cfg.Timing = scaling.Live
	}
	if !cfg.Timing.Valid() {
		return nil, fmt.Errorf("timing %q: want live, aws-60 or aws-20", cfg.Timing)
	}
	a := &Autoscaler{
		cfg: cfg, sched: sched, alarms: alarms, data: data, log: log, now: time.Now,
		seconds: make(chan []model.ServiceSecond, queuedSeconds), kick: make(chan struct{}, 1),
		watched: map[string]*watch{}, tried: map[string]time.Time{}, held: map[string]held{}, moved: map[string]scaling.Bounds{}, woken: map[string]int{}, reasons: map[string]*ring{},
	}
	var err error
	if a.targets, err = store.NewTable[model.ScalableTarget](db, "scalable-targets"); err != nil {
		return nil, err
	}
	if a.policies, err = store.NewTable[model.ScalingPolicy](db, "scaling-policies"); err != nil {
		return nil, err
	}
	if a.forecasts, err = store.NewTable[model.Forecast](db, "forecasts"); err != nil {
		return nil, err
	}
	if a.scheduled, err = store.NewTable[model.ScheduledAction](db, "scheduled-actions"); err != nil {
		return nil, err
	}
	if a.activities, err = store.NewTable[model.ScalingActivity](db, "scaling-activities"); err != nil {
		return nil, err
	}
	a.memories, err = store.NewTable[memory](db, "scaling-memories")
	return a, err
}

// Observe takes what every service did in the last second. It never blocks.
func (a *Autoscaler) Observe(seconds []model.ServiceSecond) {
	select {
	case a.seconds <- seconds:
	default:
		a.log.Warn("second not decided: the autoscaler is behind")
	}
}

// Run decides until ctx ends; it returns nil then.
func (a *Autoscaler) Run(ctx context.Context) error {
	prune := time.NewTicker(time.Hour)
	defer prune.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	remember := time.NewTicker(memoryEvery)
	defer remember.Stop()
	defer a.memorizeAll(ctx)
	a.resume()
	for {
		select {
		case <-ctx.Done():
			return nil
		case seconds := <-a.seconds:
			for i := range seconds {
				a.report(ctx, "second not decided", seconds[i].Service, a.guarded(func() { a.second(ctx, &seconds[i]) }))
			}
		case <-a.kick:
			a.intoBounds(ctx)
			a.wake(ctx)
		case <-tick.C:
			a.closeGone(ctx)
			a.dropOutlived(ctx)
			a.letGo()
			a.runScheduled(ctx)
			a.foretellDue(ctx)
		case <-remember.C:
			a.memorizeAll(ctx)
		case <-prune.C:
			a.prune(ctx)
		}
	}
}

// guarded turns a panic of one service's decision into an error: it would come
// again each second, and after every restart.
func (a *Autoscaler) guarded(decide func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	decide()
	return nil
}

// report logs what went wrong in the background, but not that ctx has ended.
func (a *Autoscaler) report(ctx context.Context, what, resourceID string, err error) {
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		a.log.Error("work failed", "what", what, "resource", resourceID, "error", err)
	}
}

// timing is how fast a target's policies are obeyed.
func (a *Autoscaler) timing(t model.ScalableTarget) scaling.Timing {
	for _, tag := range t.Tags {
		if tag.Key == TimingTag && scaling.Timing(tag.Value).Valid() {
			return scaling.Timing(tag.Value)
		}
	}
	return a.cfg.Timing
}
