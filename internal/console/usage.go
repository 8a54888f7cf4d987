package console

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
)

// UsagePath is where consumption is asked for.
const UsagePath = "/_neargate/usage"

// Usage is the answer of UsagePath: what all that runs has consumed so far. Two
// answers make rates.
type Usage struct {
	At       time.Time      `json:"at"`
	Services []ServiceUsage `json:"services"`
	Tasks    []TaskUsage    `json:"tasks"` // that have not ended
}

// ServiceUsage is a service.
type ServiceUsage struct {
	Cluster  string `json:"cluster"`
	Service  string `json:"service"`
	Desired  int    `json:"desired"`
	Requests uint64 `json:"requests"` // that its target groups have had since the server started
	Balanced bool   `json:"balanced"` // it has target groups
}

// TaskUsage is a task. What is measured is zero until it runs.
type TaskUsage struct {
	Cluster    string           `json:"cluster"`
	Service    string           `json:"service,omitempty"`
	Group      string           `json:"group"`
	Task       string           `json:"task"` // its ID
	Status     string           `json:"status"`
	CPUUnits   int              `json:"cpu_units"`
	MemoryMiB  int              `json:"memory_mib"`
	At         time.Time        `json:"at"`
	RxBytes    uint64           `json:"rx_bytes"`
	TxBytes    uint64           `json:"tx_bytes"`
	Containers []ContainerUsage `json:"containers"`
}

// ContainerUsage is a container that runs.
type ContainerUsage struct {
	Container   string        `json:"container"`
	CPU         time.Duration `json:"cpu_ns"`
	Memory      int64         `json:"memory_bytes"` // that cannot be dropped at once
	MemoryLimit int64         `json:"memory_limit_bytes"`
}

// consumption is what knows what everything consumes.
type consumption interface {
	AllServices() []model.Service
	AllTasks() []model.Task
	// Usage returns what a running task has consumed until now.
	Usage(id string) (model.TaskUsage, bool)
	// Traffic returns what target groups have had.
	Traffic() []model.TargetGroupTraffic
}

// usage reads everything, or one cluster where cluster is not "".
func usage(c consumption, cluster string) Usage {
	out := Usage{At: time.Now(), Services: []ServiceUsage{}, Tasks: []TaskUsage{}}
	requests := map[string]uint64{}
	for _, g := range c.Traffic() {
		requests[g.TargetGroupARN] += g.Arrivals
	}
	for _, s := range c.AllServices() {
		if s.Status == model.Inactive || cluster != "" && s.Cluster != cluster {
			continue
		}
		one := ServiceUsage{Cluster: s.Cluster, Service: s.Name, Desired: s.DesiredCount, Balanced: len(s.LoadBalancers) > 0}
		for _, lb := range s.LoadBalancers {
			one.Requests += requests[lb.TargetGroupARN]
		}
		out.Services = append(out.Services, one)
	}
	for _, t := range c.AllTasks() {
		if t.LastStatus != model.TaskStopped && (cluster == "" || t.Cluster == cluster) {
			out.Tasks = append(out.Tasks, taskUsage(c, t))
		}
	}
	slices.SortFunc(out.Services, func(a, b ServiceUsage) int {
		return cmp.Or(strings.Compare(a.Cluster, b.Cluster), strings.Compare(a.Service, b.Service))
	})
	slices.SortFunc(out.Tasks, func(a, b TaskUsage) int {
		return cmp.Or(strings.Compare(a.Cluster, b.Cluster), strings.Compare(a.Service, b.Service), strings.Compare(a.Task, b.Task))
	})
	return out
}

func taskUsage(c consumption, t model.Task) TaskUsage {
	out := TaskUsage{
		Cluster: t.Cluster, Service: t.Service, Group: t.Group, Task: t.ID, Status: string(t.LastStatus), CPUUnits: t.CPUUnits, MemoryMiB: t.MemoryMiB,
		Containers: []ContainerUsage{},
	}
	u, ok := c.Usage(t.ID)
	if !ok {
		return out
	}
	out.At, out.RxBytes, out.TxBytes = u.At, u.Network.RxBytes, u.Network.TxBytes
	for _, one := range u.Containers {
		if one.Running {
			out.Containers = append(out.Containers, ContainerUsage{Container: one.Name, CPU: one.CPU, Memory: one.WorkingSet(), MemoryLimit: one.MemoryLimit})
		}
	}
	return out
}
