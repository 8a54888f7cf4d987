package insights

import (
	"cmp"
	"time"

	"neargate/internal/model"
)

func (r reading) dimensions() dimensions {
	return dimensions{cluster: r.task.Cluster, service: r.task.Service, family: r.def.Family, task: r.task.ID}
}

// elapsed is the time between the readings, at least some.
func (r reading) elapsed() time.Duration { return max(r.now.At.Sub(r.was.At), time.Millisecond) }

// rate is how much a counter grew in a second; one that shrank has begun anew.
func (r reading) rate(was, now uint64) float64 {
	if now < was {
		was = 0
	}
	return float64(now-was) / r.elapsed().Seconds()
}

// units are the CPU units that the i-th container used.
func (r reading) units(i int) float64 {
	used := r.now.Containers[i].CPU
	if i < len(r.was.Containers) && r.was.Containers[i].CPU <= used { // else it was started again
		used -= r.was.Containers[i].CPU
	}
	return 1024 * used.Seconds() / r.elapsed().Seconds()
}

// addTask adds what is known of the task as a whole.
func (r reading) addTask(g *gathering, detailed bool) {
	var units, memory float64
	var read, written uint64
	for i, c := range r.now.Containers {
		units += r.units(i)
		memory += float64(c.WorkingSet()) / megabyte
		read, written = read+c.DiskReadBytes, written+c.DiskWrittenBytes
	}
	sets := r.dimensions().ofTask(detailed)
	g.each("CpuUtilized", "None", sets, units)
	g.each("CpuReserved", "None", sets, float64(r.task.CPUUnits))
	g.each("MemoryUtilized", "Megabytes", sets, memory)
	g.each("MemoryReserved", "Megabytes", sets, float64(r.task.MemoryMiB))
	g.each("NetworkRxBytes", "Bytes/Second", sets, r.rate(r.was.Network.RxBytes, r.now.Network.RxBytes))
	g.each("NetworkTxBytes", "Bytes/Second", sets, r.rate(r.was.Network.TxBytes, r.now.Network.TxBytes))
	g.each("EphemeralStorageReserved", "Gigabytes", sets, float64(cmp.Or(r.task.EphemeralGiB, r.def.EphemeralGiB, model.FargateDiskGiB)))
	g.each("EphemeralStorageUtilized", "Gigabytes", sets, float64(r.now.DiskUsed)/(1<<30))
	if r.now.CountsDisk { // the bytes so far
		g.each("StorageReadBytes", "Bytes", sets, float64(read))
		g.each("StorageWriteBytes", "Bytes", sets, float64(written))
	}
	if !detailed {
		return
	}
	g.each("TaskCpuUtilization", "Percent", sets, percent(units, r.task.CPUUnits))
	g.each("TaskMemoryUtilization", "Percent", sets, percent(memory, r.task.MemoryMiB))
	g.each("ContainerNetworkRxBytes", "Bytes/Second", sets, r.rate(r.was.Network.RxBytes, r.now.Network.RxBytes))
	g.each("ContainerNetworkTxBytes", "Bytes/Second", sets, r.rate(r.was.Network.TxBytes, r.now.Network.TxBytes))
}

// addContainers adds what is known of each container.
func (r reading) addContainers(g *gathering) {
	for i, c := range r.now.Containers {
		if i >= len(r.def.Containers) || i >= len(r.task.Containers) || !c.Running {
			continue
		}
		kept, dims := r.task.Containers[i], r.dimensions()
		dims.container = c.Name
		sets := dims.ofContainer()
		// One without a size of its own has the task's.
		cpu, memory := cmp.Or(kept.CPUUnits, r.task.CPUUnits), cmp.Or(kept.MemoryMiB, r.task.MemoryMiB)
		used := float64(c.WorkingSet()) / megabyte
		g.each("ContainerCpuUtilized", "None", sets, r.units(i))
		g.each("ContainerCpuReserved", "None", sets, float64(cpu))
		g.each("ContainerCpuUtilization", "Percent", sets, percent(r.units(i), cpu))
		g.each("ContainerMemoryUtilized", "Megabytes", sets, used)
		g.each("ContainerMemoryReserved", "Megabytes", sets, float64(memory))
		g.each("ContainerMemoryUtilization", "Percent", sets, percent(used, memory))
		if r.now.CountsDisk {
			g.each("ContainerStorageReadBytes", "Bytes", sets, float64(c.DiskReadBytes))
			g.each("ContainerStorageWriteBytes", "Bytes", sets, float64(c.DiskWrittenBytes))
		}
		r.addHealth(g, i, sets)
	}
}

// addHealth adds the verdict of a container's own health check, when there is
// one: 1 is unhealthy.
func (r reading) addHealth(g *gathering, i int, sets [][]model.Dimension) {
	if r.def.Containers[i].HealthCheck == nil {
		return
	}
	switch r.task.Containers[i].Health {
	case "UNHEALTHY":
		g.each("UnHealthyContainerHealthStatus", "Count", sets, 1)
	case "HEALTHY":
		g.each("UnHealthyContainerHealthStatus", "Count", sets, 0)
	}
}

func percent(used float64, of int) float64 {
	if of == 0 {
		return 0
	}
	return 100 * used / float64(of)
}
