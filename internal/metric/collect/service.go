package collect

import (
	"time"

	"neargate/internal/model"
)

// service returns the account of one service, and its datapoints in AWS/ECS and
// ECS/ContainerInsights.
func (s *second) service(tasks model.ServiceTasks) model.ServiceSecond {
	quota := time.Duration(tasks.CPUUnits) * s.interval / 1024
	out := model.ServiceSecond{
		At: s.at, Cluster: tasks.Cluster, Service: tasks.Service,
		Running: len(tasks.Running), Starting: len(tasks.Starting), Draining: len(tasks.Draining),
		CPUPerTask: quota, MemoryPerTask: int64(tasks.MemoryMiB) << 20,
		Interval: s.interval,
	}
	running := s.usages(tasks.Running)
	for _, some := range [][]usage{running, s.usages(tasks.Starting), s.usages(tasks.Draining)} {
		for _, u := range some {
			out.Sampled++
			out.CPU += time.Duration(float64(u.cpu) * float64(s.interval) / float64(u.over))
			out.Memory += u.memory
		}
	}
	for _, arn := range tasks.TargetGroupARNs {
		g, ok := s.groups[arn]
		if !ok {
			continue
		}
		out.Balanced = true
		out.Arrivals += int(g.Arrivals)
		out.Completed += int(g.Completed)
		out.Fails += int(g.ConnErrors + g.Status[5])
		out.InFlight += g.InFlight
		out.Queued += g.Queued
		out.Latency = join(out.Latency, g.Latency)
	}
	s.serviceData(tasks, running)
	return out
}

// serviceData publishes one value for each RUNNING task whose consumption is
// known; without one there is no datapoint, as on AWS.
func (s *second) serviceData(tasks model.ServiceTasks, running []usage) {
	dims := []model.Dimension{{Name: "ClusterName", Value: tasks.Cluster}, {Name: "ServiceName", Value: tasks.Service}}
	values := make([]float64, 0, 2*len(running))
	cpu, memory := values[:0:len(running)], values[len(running):len(running)]
	for _, u := range running {
		if tasks.CPUUnits > 0 {
			// A task is held to its size; what a reading shows above it is
			// the reading's own unevenness.
			used := float64(u.cpu) / float64(u.over) * 1024 / float64(tasks.CPUUnits)
			cpu = append(cpu, min(100, 100*used))
		}
		if tasks.MemoryMiB > 0 {
			memory = append(memory, 100*float64(u.memory>>20)/float64(tasks.MemoryMiB))
		}
	}
	s.gauge("AWS/ECS", "CPUUtilization", "Percent", dims, cpu...)
	s.gauge("AWS/ECS", "MemoryUtilization", "Percent", dims, memory...)
	s.gauge("ECS/ContainerInsights", "RunningTaskCount", "Count", dims, float64(len(tasks.Running)))
	s.gauge("ECS/ContainerInsights", "PendingTaskCount", "Count", dims, float64(len(tasks.Starting)))
}

// gauge publishes readings of something that lasts; none publish nothing.
func (s *second) gauge(namespace, name, unit string, dims []model.Dimension, values ...float64) {
	if len(values) == 0 {
		return
	}
	s.add(model.Datum{ID: model.MetricID{Namespace: namespace, Name: name, Dimensions: dims}, Unit: unit, Values: values, Gauge: true})
}
