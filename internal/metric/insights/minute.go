package insights

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
)

// minute is all that was read at its end.
type minute struct {
	at       time.Time // its beginning
	levels   map[string]level
	services []model.Service
	tasks    []reading
}

// reading is a running task with what it had consumed a minute ago, or at its
// start, and has now.
type reading struct {
	task     model.Task
	def      model.TaskDefinition
	was, now model.TaskUsage
}

const (
	namespace = "ECS/ContainerInsights"
	megabyte  = 1 << 20
)

// data returns the datapoints: for each metric a value of each task, or of each
// container, so that AWS's statistics come out of them. Which metric has which
// dimensions: CloudWatch guide, "Amazon ECS Container Insights metrics" and "…
// with enhanced observability metrics".
func (m minute) data() []model.Datum {
	g := &gathering{at: m.at, index: map[string]int{}}
	for _, s := range m.services {
		if m.levels[s.Cluster] == off || s.Status == model.Inactive {
			continue
		}
		dims := dimensions{cluster: s.Cluster, service: s.Name}.of("ClusterName", "ServiceName")
		g.add("DesiredTaskCount", "Count", dims, float64(s.DesiredCount))
		g.add("DeploymentCount", "Count", dims, float64(len(s.Deployments)))
	}
	for name := range m.levels {
		cluster := dimensions{cluster: name}.of("ClusterName")
		g.add("ServiceCount", "Count", cluster, float64(count(m.services, func(s model.Service) bool { return s.Cluster == name && s.Status != model.Inactive })))
		g.add("TaskCount", "Count", cluster, float64(count(m.tasks, func(r reading) bool { return r.task.Cluster == name })))
	}
	for _, r := range m.tasks {
		detailed := m.levels[r.task.Cluster] == enhanced
		r.addTask(g, detailed)
		if detailed {
			r.addContainers(g)
		}
	}
	slices.SortFunc(g.data, func(a, b model.Datum) int {
		return cmp.Or(cmp.Compare(a.ID.Name, b.ID.Name), strings.Compare(keyOf(a.ID), keyOf(b.ID)))
	})
	return g.data
}

func count[T any](all []T, holds func(T) bool) (n int) {
	for _, one := range all {
		if holds(one) {
			n++
		}
	}
	return n
}

// gathering puts the values of one metric together.
type gathering struct {
	at    time.Time
	data  []model.Datum
	index map[string]int // of data, by keyOf
}

func keyOf(id model.MetricID) string {
	var b strings.Builder
	b.WriteString(id.Name)
	for _, d := range id.Dimensions {
		b.WriteString("\x00" + d.Name + "\x00" + d.Value)
	}
	return b.String()
}

func (g *gathering) add(name, unit string, dims []model.Dimension, value float64) {
	id := model.MetricID{Namespace: namespace, Name: name, Dimensions: dims}
	key := keyOf(id)
	i, known := g.index[key]
	if !known {
		i = len(g.data)
		g.index[key] = i
		g.data = append(g.data, model.Datum{ID: id, At: g.at, Unit: unit, Resolution: 60})
	}
	g.data[i].Values = append(g.data[i].Values, value)
}

// each adds a value under every set of dimensions.
func (g *gathering) each(name, unit string, sets [][]model.Dimension, value float64) {
	for _, dims := range sets {
		g.add(name, unit, dims, value)
	}
}
