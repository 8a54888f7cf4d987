package metadata

import (
	"cmp"
	"strconv"
	"time"

	"neargate/internal/model"
)

// task is a task in the endpoint's form [ECS guide, "Task metadata v4 JSON
// response for tasks on Fargate"].
type task struct {
	Cluster                 string // an ARN
	TaskARN                 string
	Family, Revision        string
	ServiceName             string `json:",omitempty"`
	DesiredStatus           string
	KnownStatus             string
	Limits                  taskLimits
	PullStartedAt           *time.Time `json:",omitempty"`
	PullStoppedAt           *time.Time `json:",omitempty"`
	AvailabilityZone        string
	LaunchType              string
	Containers              []container
	TaskTags                map[string]string `json:",omitempty"`
	ClockDrift              clockDrift
	EphemeralStorageMetrics ephemeralStorage
	FaultInjectionEnabled   bool
}

// taskLimits are in CPUs and MiB.
type taskLimits struct {
	CPU    float64
	Memory int
}

// ephemeralStorage is in MiB.
type ephemeralStorage struct {
	Utilized, Reserved int64
}

// task describes the task, on demand with its tags.
func (s subject) task(withTags bool) task {
	out := task{
		Cluster: s.record.ClusterARN, TaskARN: s.record.ARN, Family: s.def.Family, Revision: strconv.Itoa(s.def.Revision),
		ServiceName: s.record.Service, DesiredStatus: string(s.record.DesiredStatus), KnownStatus: string(s.known()),
		Limits:        taskLimits{CPU: float64(s.record.CPUUnits) / 1024, Memory: s.record.MemoryMiB},
		PullStartedAt: moment(s.state.PullStartedAt), PullStoppedAt: moment(s.state.PullStoppedAt),
		AvailabilityZone: s.cfg.Place.Region + "a", LaunchType: "FARGATE", ClockDrift: drift(time.Now()),
		EphemeralStorageMetrics: ephemeralStorage{Reserved: int64(cmp.Or(s.record.EphemeralGiB, s.def.EphemeralGiB, model.FargateDiskGiB)) << 10},
	}
	if usage, ok := s.tasks.Usage(s.record.ID); ok {
		out.EphemeralStorageMetrics.Utilized = usage.DiskUsed >> 20
	}
	for i := range min(len(s.state.Containers), len(s.record.Containers), len(s.def.Containers)) {
		out.Containers = append(out.Containers, s.container(i))
	}
	if withTags && len(s.record.Tags) > 0 {
		out.TaskTags = map[string]string{}
		for _, t := range s.record.Tags {
			out.TaskTags[t.Key] = t.Value
		}
	}
	return out
}

// known is the task's status: the engine knows first that it runs.
func (s subject) known() model.TaskStatus {
	if !s.state.StartedAt.IsZero() && (s.record.LastStatus == model.TaskPending || s.record.LastStatus == model.TaskProvisioning) {
		return model.TaskRunning
	}
	return s.record.LastStatus
}
