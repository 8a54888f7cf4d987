package insights

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"neargate/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house has a cluster "shop" with service "web" of two tasks and one task of no
// service, and a cluster "quiet" that asks for nothing.
type house struct {
	mu      sync.Mutex
	setting string
	began   time.Time
	reads   int
	data    []model.Datum
}

func (h *house) Clusters() []model.Cluster {
	return []model.Cluster{
		{Name: "shop", Status: model.Active, Settings: []model.Setting{{Name: "containerInsights", Value: h.setting}}},
		{Name: "quiet", Status: model.Active, Settings: []model.Setting{{Name: "containerInsights", Value: "disabled"}}},
	}
}

func (h *house) AllServices() []model.Service {
	return []model.Service{
		{Cluster: "shop", Name: "web", DesiredCount: 3, Status: model.Active, Deployments: make([]model.Deployment, 2)},
		{Cluster: "shop", Name: "gone", Status: model.Inactive},
		{Cluster: "quiet", Name: "web", DesiredCount: 1, Status: model.Active},
	}
}

func (h *house) AllTasks() (all []model.Task) {
	for i, service := range []string{"web", "web", ""} {
		all = append(all, model.Task{
			ID: fmt.Sprint("task", i), Cluster: "shop", Service: service, LastStatus: model.TaskRunning, TaskDefinitionARN: "web:1",
			CPUUnits: 512, MemoryMiB: 1024, StartedAt: h.began, Containers: []model.Container{{CPUUnits: 256, Health: "UNHEALTHY"}, {}},
		})
	}
	return append(all,
		model.Task{ID: "ended", Cluster: "shop", LastStatus: model.TaskStopped, TaskDefinitionARN: "web:1"},
		model.Task{ID: "quiet", Cluster: "quiet", LastStatus: model.TaskRunning, TaskDefinitionARN: "web:1"})
}

func (h *house) TaskDefinition(string) (model.TaskDefinition, bool) {
	return model.TaskDefinition{Family: "web", Containers: []model.ContainerDefinition{{Name: "app", HealthCheck: &model.ContainerHealthCheck{}}, {Name: "side"}}}, true
}

// Usage: the first container uses half a CPU, the second none; the task receives
// 1000 bytes a second.
func (h *house) Usage(id string) (model.TaskUsage, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads++
	if !strings.HasPrefix(id, "task") {
		return model.TaskUsage{}, false
	}
	ran := time.Since(h.began)
	return model.TaskUsage{
		TaskID: id, At: time.Now(), CountsDisk: true, DiskUsed: 3 << 29, Network: model.NetworkUsage{RxBytes: uint64(1000 * ran.Seconds())},
		Containers: []model.ContainerUsage{
			{Name: "app", Running: true, CPU: ran / 2, Memory: 300 << 20, MemoryStat: map[string]uint64{"inactive_file": 44 << 20}, DiskWrittenBytes: 77},
			{Name: "side", Running: true, Memory: 0},
		},
	}, true
}

func (h *house) Put(_ time.Time, data []model.Datum) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.data = append(h.data, data...)
	return nil
}

// after runs a publisher for some minutes, and returns the values of metrics, as
// "NAME DIMENSION=VALUE …".
func after(t *testing.T, setting string, minutes int) (h *house, values map[string][]float64) {
	t.Helper()
	values = map[string][]float64{}
	synctest.Test(t, func(t *testing.T) {
		h = &house{setting: setting, began: time.Now()}
		p := New(h, h, h, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(minutes)*time.Minute+time.Second)
		defer cancel()
		if err := p.Run(ctx); err != nil {
			t.Fatal(err)
		}
	})
	for _, d := range h.data {
		name := d.ID.Name
		for i, dim := range d.ID.Dimensions {
			name += " " + dim.Name + "=" + dim.Value
			if i > 0 && d.ID.Dimensions[i-1].Name >= dim.Name {
				t.Errorf("dimensions are out of order: %v", d.ID.Dimensions)
			}
		}
		if d.ID.Namespace != namespace || d.Resolution != 60 || d.At.Second() != 0 {
			t.Errorf("got %+v", d)
		}
		values[name] = append(values[name], d.Values...)
	}
	return h, values
}

func TestEnabled(t *testing.T) {
	_, got := after(t, "enabled", 2)
	for name, want := range map[string][]float64{
		"CpuUtilized ClusterName=shop ServiceName=web":              {512, 512, 512, 512}, // two tasks, two minutes
		"CpuUtilized ClusterName=shop":                              {512, 512, 512, 512, 512, 512},
		"CpuUtilized ClusterName=shop TaskDefinitionFamily=web":     {512, 512, 512, 512, 512, 512},
		"CpuReserved ClusterName=shop ServiceName=web":              {512, 512, 512, 512},
		"MemoryUtilized ClusterName=shop ServiceName=web":           {256, 256, 256, 256},
		"MemoryReserved ClusterName=shop ServiceName=web":           {1024, 1024, 1024, 1024},
		"NetworkRxBytes ClusterName=shop ServiceName=web":           {1000, 1000, 1000, 1000},
		"NetworkTxBytes ClusterName=shop ServiceName=web":           {0, 0, 0, 0},
		"StorageWriteBytes ClusterName=shop ServiceName=web":        {77, 77, 77, 77},
		"EphemeralStorageReserved ClusterName=shop ServiceName=web": {20, 20, 20, 20},
		"EphemeralStorageUtilized ClusterName=shop ServiceName=web": {1.5, 1.5, 1.5, 1.5},
		"DesiredTaskCount ClusterName=shop ServiceName=web":         {3, 3},
		"DeploymentCount ClusterName=shop ServiceName=web":          {2, 2},
		"TaskCount ClusterName=shop":                                {3, 3},
		"ServiceCount ClusterName=shop":                             {1, 1},
	} {
		if fmt.Sprint(got[name]) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
	for name := range got {
		if strings.Contains(name, "quiet") || strings.Contains(name, "TaskId") || strings.HasPrefix(name, "Container") || strings.Contains(name, "gone") {
			t.Errorf("nobody asked for %s", name)
		}
	}
}

func TestEnhanced(t *testing.T) {
	_, got := after(t, "enhanced", 1)
	for name, want := range map[string][]float64{
		"CpuUtilized ClusterName=shop ServiceName=web TaskId=task1":                                      {512},
		"CpuUtilized ClusterName=shop TaskDefinitionFamily=web TaskId=task2":                             {512},
		"TaskCpuUtilization ClusterName=shop ServiceName=web":                                            {100, 100},
		"TaskMemoryUtilization ClusterName=shop ServiceName=web TaskId=task0":                            {25},
		"ContainerCpuUtilized ClusterName=shop ContainerName=app ServiceName=web":                        {512, 512},
		"ContainerCpuUtilized ClusterName=shop ContainerName=side ServiceName=web TaskId=task0":          {0},
		"ContainerCpuReserved ClusterName=shop ContainerName=app TaskDefinitionFamily=web":               {256, 256, 256},
		"ContainerCpuReserved ClusterName=shop ContainerName=side TaskDefinitionFamily=web TaskId=task2": {512},
		"ContainerCpuUtilization ClusterName=shop ContainerName=app ServiceName=web TaskId=task0":        {200},
		"ContainerMemoryUtilized ClusterName=shop":                                                       {256, 0, 256, 0, 256, 0},
		"ContainerMemoryUtilization ClusterName=shop ContainerName=app ServiceName=web":                  {25, 25},
		"ContainerNetworkRxBytes ClusterName=shop ServiceName=web TaskId=task0":                          {1000},
		"ContainerStorageWriteBytes ClusterName=shop ContainerName=app ServiceName=web":                  {77, 77},
		"UnHealthyContainerHealthStatus ClusterName=shop ContainerName=app ServiceName=web TaskId=task1": {1},
		"UnHealthyContainerHealthStatus ClusterName=shop ContainerName=side ServiceName=web":             nil,
		"ContainerCpuUtilized ClusterName=shop ContainerName=app ServiceName= TaskId=task2":              nil,
	} {
		if fmt.Sprint(got[name]) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
}

func TestDisabledReadsNothing(t *testing.T) {
	h, got := after(t, "disabled", 3)
	if h.reads > 0 || len(got) > 0 {
		t.Errorf("%d readings, %d metrics", h.reads, len(got))
	}
}
