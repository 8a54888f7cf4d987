package metadata

import (
	"time"

	"neargate/internal/model"
)

// stats is what a container consumes, in the form of Docker's
// /containers/ID/stats, from which monitoring tools read it.
type stats struct {
	Read        time.Time               `json:"read"`
	PreRead     time.Time               `json:"preread"`
	Name        string                  `json:"name"`
	ID          string                  `json:"id"`
	PIDs        pidsStats               `json:"pids_stats"`
	Processes   int                     `json:"num_procs"`
	CPU         cpuStats                `json:"cpu_stats"`
	PreCPU      cpuStats                `json:"precpu_stats"`
	Memory      memoryStats             `json:"memory_stats"`
	Disk        diskStats               `json:"blkio_stats"`
	Networks    map[string]networkStats `json:"networks"`
	NetworkRate *networkRate            `json:"network_rate_stats,omitempty"`
}

type pidsStats struct {
	Current int `json:"current"`
}

// cpuStats are in nanoseconds.
type cpuStats struct {
	Usage struct {
		Total int64 `json:"total_usage"`
	} `json:"cpu_usage"`
	System     int64 `json:"system_cpu_usage"`
	OnlineCPUs int   `json:"online_cpus"`
	Throttling struct {
		Periods   int64 `json:"periods"`
		Throttled int64 `json:"throttled_periods"`
		Time      int64 `json:"throttled_time"`
	} `json:"throttling_data"`
}

type memoryStats struct {
	Usage    int64             `json:"usage"`
	MaxUsage int64             `json:"max_usage"`
	Stats    map[string]uint64 `json:"stats"`
	Limit    int64             `json:"limit"`
}

type diskStats struct {
	Bytes []diskEntry `json:"io_service_bytes_recursive"`
	Ops   []diskEntry `json:"io_serviced_recursive"`
}

// diskEntry adds up all devices.
type diskEntry struct {
	Major int    `json:"major"`
	Minor int    `json:"minor"`
	Op    string `json:"op"`
	Value uint64 `json:"value"`
}

type networkStats struct {
	RxBytes   uint64 `json:"rx_bytes"`
	RxPackets uint64 `json:"rx_packets"`
	RxErrors  uint64 `json:"rx_errors"`
	RxDropped uint64 `json:"rx_dropped"`
	TxBytes   uint64 `json:"tx_bytes"`
	TxPackets uint64 `json:"tx_packets"`
	TxErrors  uint64 `json:"tx_errors"`
	TxDropped uint64 `json:"tx_dropped"`
}

type networkRate struct {
	Rx float64 `json:"rx_bytes_per_sec"`
	Tx float64 `json:"tx_bytes_per_sec"`
}

// link is the task's network interface, by the name that containers know it by.
const link = "eth0"

// containerStats answers the container that asks; null where it does not run, as
// Docker does.
func (s subject) containerStats() any {
	return s.allStats()[s.state.Containers[s.asking].RuntimeID]
}

// taskStats answers for all containers, by their runtime IDs.
func (s subject) taskStats() any { return s.allStats() }

func (s subject) allStats() map[string]*stats {
	out := map[string]*stats{}
	was, now, ok := s.meter.read(s.state.ID)
	for i, c := range s.state.Containers {
		out[c.RuntimeID] = nil
		if ok && i < len(now.Containers) && now.Containers[i].Running {
			out[c.RuntimeID] = statsOf(was, now, i)
			out[c.RuntimeID].ID = c.RuntimeID
		}
	}
	return out
}

func statsOf(was, now model.TaskUsage, i int) *stats {
	c := now.Containers[i]
	out := &stats{
		Read: now.At.UTC(), PreRead: was.At.UTC(), Name: c.Name, PIDs: pidsStats{c.Processes},
		CPU:    cpuOf(now, i),
		Memory: memoryStats{Usage: c.Memory, MaxUsage: c.MemoryPeak, Stats: c.MemoryStat, Limit: c.MemoryLimit},
		Disk: diskStats{
			Bytes: []diskEntry{{Op: "Read", Value: c.DiskReadBytes}, {Op: "Write", Value: c.DiskWrittenBytes}},
			Ops:   []diskEntry{{Op: "Read", Value: c.DiskReads}, {Op: "Write", Value: c.DiskWrites}},
		},
		Networks: map[string]networkStats{link: networkStats(now.Network)},
	}
	if i < len(was.Containers) {
		out.PreCPU = cpuOf(was, i)
		if seconds := now.At.Sub(was.At).Seconds(); seconds > 0 {
			out.NetworkRate = &networkRate{
				Rx: float64(now.Network.RxBytes-was.Network.RxBytes) / seconds, Tx: float64(now.Network.TxBytes-was.Network.TxBytes) / seconds,
			}
		}
	}
	return out
}

func cpuOf(u model.TaskUsage, i int) (s cpuStats) {
	c := u.Containers[i]
	s.Usage.Total, s.System, s.OnlineCPUs = int64(c.CPU), int64(u.MachineCPU), u.CPUs
	s.Throttling.Periods, s.Throttling.Throttled, s.Throttling.Time = c.Periods, c.ThrottledPeriods, int64(c.Throttled)
	return s
}
