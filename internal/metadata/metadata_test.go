package metadata

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

const (
	taskID  = "0123456789abcdef0123456789abcdef"
	otherID = "fedcba9876543210fedcba9876543210"
	first   = taskID + "-0000000001"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)

// house is one task, at 127.0.0.1, and its role.
type house struct {
	mu     sync.Mutex
	state  model.RunState
	record model.Task
	def    model.TaskDefinition
	usage  model.TaskUsage
	reads  int
	broken error // of the role

	issued  bool
	issuing chan struct{} // where not nil, Credentials waits until it is closed

	address string // of the endpoint
}

func (h *house) TaskAt(a netip.Addr) (model.RunState, model.Task, bool) {
	return h.state, h.record, a == netip.MustParseAddr("127.0.0.1") && h.state.ID != ""
}

func (h *house) TaskDefinition(arn string) (model.TaskDefinition, bool) {
	return h.def, arn == h.def.ARN
}

func (h *house) Usage(id string) (model.TaskUsage, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads++
	u := h.usage
	u.At = time.Now()
	return u, id == taskID
}

func (h *house) Issued(model.Task, string) bool { return h.issued }

func (h *house) Credentials(_ context.Context, t model.Task, role string) (Credentials, bool, error) {
	if h.issuing != nil {
		<-h.issuing
	}
	return Credentials{
		RoleARN: "arn:aws:iam::000000000000:role/" + role, AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", Token: t.ID, Expiration: t0.Add(time.Hour).Truncate(time.Second),
	}, role == "worker", h.broken
}

func newHouse() *house {
	place := model.Place{Region: "eu-west-1", Account: "000000000000"}
	code := 0
	return &house{
		state: model.RunState{
			ID: taskID, Running: true, IP: "10.9.0.7", MAC: "02:4e:0a:09:00:07", PullStartedAt: t0, PullStoppedAt: t0.Add(time.Second), StartedAt: t0.Add(2 * time.Second),
			Containers: []model.ContainerState{
				{Name: "app", RuntimeID: first, ImageDigest: "sha256:42", Running: true, Health: "HEALTHY", CreatedAt: t0.Add(1800 * time.Millisecond), StartedAt: t0.Add(1900 * time.Millisecond)},
				{Name: "init", RuntimeID: taskID + "-0000000002", ImageDigest: "sha256:43", ExitCode: &code, Health: "UNKNOWN", CreatedAt: t0.Add(1100 * time.Millisecond), StartedAt: t0.Add(1200 * time.Millisecond), FinishedAt: t0.Add(1700 * time.Millisecond)},
			},
		},
		record: model.Task{
			ID: taskID, ARN: place.TaskARN("shop", taskID), Cluster: "shop", ClusterARN: place.ClusterARN("shop"), Service: "web", TaskDefinitionARN: "def",
			CPUUnits: 256, MemoryMiB: 512, LastStatus: model.TaskPending, DesiredStatus: model.TaskRunning, EphemeralGiB: 30,
			Containers: []model.Container{{ARN: "arn:app", CPUUnits: 100, MemoryMiB: 300}, {ARN: "arn:init"}}, Tags: []model.Tag{{Key: "team", Value: "shop"}},
		},
		def: model.TaskDefinition{
			ARN: "def", Family: "web", Revision: 7, TaskRoleARN: "worker",
			Containers: []model.ContainerDefinition{
				{Name: "app", Image: "web:1", HealthCheck: &model.ContainerHealthCheck{}, Log: model.LogConfig{Driver: "awslogs", Options: map[string]string{"awslogs-group": "/ecs/web", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs"}}},
				{Name: "init", Image: "init", DockerLabels: map[string]string{"team": "shop"}},
			},
		},
		usage: model.TaskUsage{
			TaskID: taskID, DiskUsed: 5<<20 + 1, CPUs: 2, MachineCPU: 20 * time.Second,
			Containers: []model.ContainerUsage{
				{Name: "app", Running: true, CPU: time.Second, Periods: 10, ThrottledPeriods: 3, Throttled: time.Millisecond, Memory: 100, MemoryPeak: 200, MemoryLimit: 300, MemoryStat: map[string]uint64{"cache": 40}, Processes: 5, DiskReadBytes: 6, DiskWrittenBytes: 7, DiskReads: 8, DiskWrites: 9},
				{Name: "init"},
			},
			Network: model.NetworkUsage{RxBytes: 1000, RxPackets: 10, TxBytes: 2000, TxPackets: 20},
		},
	}
}

// serve answers for the house, and returns how to ask.
func serve(t *testing.T, h *house) (ask func(path string) (status int, body string)) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := New(h, h, h, Config{ConnState: func(net.Conn, http.ConnState) {}, Place: model.Place{Region: "eu-west-1", Account: "000000000000"}, Gateway: netip.MustParseAddr("10.9.0.1"), Subnet: netip.MustParsePrefix("10.9.0.0/20")})
	done := make(chan error)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	go func() { done <- m.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	h.address = l.Addr().String()
	return func(path string) (int, string) {
		t.Helper()
		resp, err := http.Get("http://" + h.address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
}

// TestAnswers compares the whole answers with testdata, but for what differs
// each time.
func TestAnswers(t *testing.T) {
	h := newHouse()
	ask := serve(t, h)
	for name, path := range map[string]string{
		"container": "/v4/" + first, "task": "/v4/" + first + "/task", "tags": "/v3/" + first + "/taskWithTags",
		"stats": "/v4/" + first + "/task/stats", "credentials": "/v2/credentials/" + h.record.CredentialsID(),
	} {
		t.Run(name, func(t *testing.T) {
			status, body := ask(path)
			if status != http.StatusOK {
				t.Fatalf("%d %s", status, body)
			}
			var got any
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			fix(got)
			file := filepath.Join("testdata", name+".json")
			text, err := json.MarshalIndent(got, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(text)+"\n"); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// fix sets what differs each time.
func fix(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			switch key {
			case "ReferenceTimestamp", "ClockErrorBound", "ClockSynchronizationStatus", "read":
				v[key] = "…"
			}
			fix(value)
		}
	case []any:
		for _, value := range v {
			fix(value)
		}
	}
}

func TestStatsOfTwoReadings(t *testing.T) {
	h := newHouse()
	ask := serve(t, h)
	var s stats
	read := func() {
		t.Helper()
		s = stats{}
		status, body := ask("/v4/" + first + "/stats")
		if err := json.Unmarshal([]byte(body), &s); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
	read()
	read()
	if h.reads != 1 || s.NetworkRate != nil || !s.PreRead.IsZero() {
		t.Errorf("%d readings for two questions at once; got %+v", h.reads, s)
	}
	h.mu.Lock()
	h.usage.Containers = append([]model.ContainerUsage(nil), h.usage.Containers...)
	h.usage.Containers[0].CPU += time.Second
	h.usage.MachineCPU += 4 * time.Second
	h.usage.Network.RxBytes += 5000
	h.mu.Unlock()
	for s.NetworkRate == nil {
		read()
	}
	// As Docker's clients compute it.
	percent := float64(s.CPU.Usage.Total-s.PreCPU.Usage.Total) / float64(s.CPU.System-s.PreCPU.System) * float64(s.CPU.OnlineCPUs) * 100
	if percent != 50 || s.NetworkRate.Rx <= 0 || s.NetworkRate.Tx != 0 || !s.Read.After(s.PreRead) {
		t.Errorf("%v %% of a CPU, network %+v", percent, s.NetworkRate)
	}
	if status, body := ask("/v4/" + taskID + "-0000000002/stats"); status != http.StatusOK || strings.TrimSpace(body) != "null" {
		t.Errorf("of a container that has ended: %d %s", status, body)
	}
}

// TestOthersAreRefused: what is not the sender's own does not exist, whatever the
// path.
func TestOthersAreRefused(t *testing.T) {
	h := newHouse()
	ask := serve(t, h)
	other := model.Task{ID: otherID}
	for path, want := range map[string]int{
		"/v4/" + otherID + "-0000000001":      http.StatusNotFound,
		"/v4/" + otherID + "-0000000001/task": http.StatusNotFound,
		"/v4/" + taskID + "-0000000003/stats": http.StatusNotFound,
		"/v4/" + taskID:                       http.StatusNotFound,
		"/v4/":                                http.StatusNotFound,
		"/":                                   http.StatusNotFound,
		"/v2/credentials/" + other.CredentialsID():    http.StatusBadRequest,
		"/v2/credentials/..%2f..%2fv4":                http.StatusBadRequest,
		"/v4/" + first + "/task/../../../v4/whatever": http.StatusNotFound,
	} {
		if status, body := ask(path); status != want || strings.Contains(body, "ASIA") || strings.Contains(body, "10.9.0.7") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	own := "/v2/credentials/" + h.record.CredentialsID()
	h.broken = errors.New("the disk is full")
	if status, body := ask(own); status != http.StatusInternalServerError || strings.Contains(body, "disk") {
		t.Errorf("credentials that cannot be kept: %d %s", status, body)
	}
	h.broken = nil
	h.record.TaskRoleARN = "gone"
	if status, body := ask(own); status != http.StatusBadRequest || !strings.Contains(body, `"code":"InvalidIdInRequest"`) {
		t.Errorf("credentials of a role that has gone: %d %s", status, body)
	}
	h.state.ID = ""
	for _, path := range []string{"/v4/" + first, own} {
		if status, body := ask(path); status < 400 {
			t.Errorf("nobody asks for %s: %d %s", path, status, body)
		}
	}
}

// TestStartingTask: containers ask before the task has started.
func TestStartingTask(t *testing.T) {
	h := newHouse()
	h.state.StartedAt = time.Time{}
	for i := range h.state.Containers {
		c := &h.state.Containers[i]
		c.CreatedAt, c.StartedAt, c.FinishedAt = time.Time{}, time.Time{}, time.Time{}
	}
	for i := range h.state.Containers {
		h.state.Containers[i].Running, h.state.Containers[i].ExitCode = false, nil
	}
	var got struct {
		KnownStatus string
		Containers  []struct {
			KnownStatus string
			StartedAt   *time.Time
		}
	}
	_, body := serve(t, h)("/v4/" + first + "/task")
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.KnownStatus != "PENDING" || len(got.Containers) != 2 ||
		got.Containers[0].KnownStatus != "PENDING" || got.Containers[0].StartedAt != nil {
		t.Errorf("got %v %+v", err, got)
	}
}
