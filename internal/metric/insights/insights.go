// Package insights publishes the metrics of Container Insights, in the namespace
// ECS/ContainerInsights, of the clusters whose setting asks for them, once a
// minute as AWS does: of tasks and services where it is "enabled", of each
// container too where it is "enhanced".
//
// The computation is a pure function of two readings; only the loop has a clock.
// While no cluster asks, nothing is read.
package insights

import (
	"context"
	"log/slog"
	"time"

	"neargate/internal/metric"
	"neargate/internal/model"
)

// records are those of ECS.
type records interface {
	Clusters() []model.Cluster
	AllServices() []model.Service
	AllTasks() []model.Task
	TaskDefinition(ref string) (model.TaskDefinition, bool)
}

// meter reads what tasks have consumed.
type meter interface {
	Usage(id string) (model.TaskUsage, bool)
}

// sink takes the datapoints.
type sink interface {
	Put(now time.Time, data []model.Datum) error
}

// Publisher publishes the metrics each minute.
type Publisher struct {
	records records
	meter   meter
	out     sink
	log     *slog.Logger
	last    map[string]model.TaskUsage // owned by Run; by task
}

// New returns a publisher.
func New(records records, meter meter, out sink, log *slog.Logger) *Publisher {
	return &Publisher{records: records, meter: meter, out: out, log: log}
}

// early is by how much a timer may seem to fire before its time when the wall
// clock is being slewed.
const early = time.Second

// Run publishes at each full minute until ctx ends; it returns nil then.
func (p *Publisher) Run(ctx context.Context) error {
	return metric.EachFull(ctx, time.Minute, early, p.publish)
}

func (p *Publisher) publish(now time.Time) {
	levels := map[string]level{}
	for _, c := range p.records.Clusters() {
		if l := levelOf(c); l != off && c.Status == model.Active {
			levels[c.Name] = l
		}
	}
	before := p.last
	p.last = nil
	if len(levels) == 0 {
		return
	}
	m := minute{at: now.Add(early).Truncate(time.Minute).Add(-time.Minute), levels: levels, services: p.records.AllServices()}
	m.tasks, p.last = p.read(levels, before)
	if err := p.out.Put(now, m.data()); err != nil {
		p.log.Error("metrics of Container Insights lost", "error", err)
	}
}

// read reads what the running tasks of the clusters have consumed; before is
// what they had a minute ago.
func (p *Publisher) read(levels map[string]level, before map[string]model.TaskUsage) (tasks []reading, last map[string]model.TaskUsage) {
	last = map[string]model.TaskUsage{}
	for _, t := range p.records.AllTasks() {
		if levels[t.Cluster] == off || t.LastStatus != model.TaskRunning {
			continue
		}
		now, running := p.meter.Usage(t.ID)
		def, known := p.records.TaskDefinition(t.TaskDefinitionARN)
		if !running || !known {
			continue
		}
		last[t.ID] = now
		was, ok := before[t.ID]
		if !ok { // it has begun with nothing
			was = model.TaskUsage{At: t.StartedAt, Containers: make([]model.ContainerUsage, len(now.Containers))}
		}
		tasks = append(tasks, reading{task: t, def: def, was: was, now: now})
	}
	return tasks, last
}

// level is how much a cluster asks for.
type level int

const (
	off level = iota
	enabled
	enhanced
)

// levelOf reads a cluster's setting.
func levelOf(c model.Cluster) level {
	for _, s := range c.Settings {
		if s.Name == "containerInsights" {
			switch s.Value {
			case "enabled":
				return enabled
			case "enhanced":
				return enhanced
			}
		}
	}
	return off
}
