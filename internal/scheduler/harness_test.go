package scheduler

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"neargate/internal/decide/rollout"
	"neargate/internal/ecs"
	"neargate/internal/model"
	"neargate/internal/runtime/fake"
	"neargate/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	group   = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/0123456789abcdef"
	appPort = 8080
)

var testPlace = model.Place{Region: "us-east-1", Account: "000000000000"}

type noLogs struct{}

func (noLogs) HasGroup(name string) bool {
	if name == "/ecs/panic" {
		panic("of a log group")
	}
	return name == "/ecs/web"
}
func (noLogs) EnsureGroup(context.Context, string) error { return nil }

// secrets are the values of secrets by what names them.
type secrets struct {
	mu     sync.Mutex
	values map[string]string
}

func (s *secrets) put(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[name] = value
}

func (s *secrets) Prepare(_ context.Context, _ model.Task, _ model.TaskDefinition, spec *model.TaskSpec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range spec.Containers {
		c := &spec.Containers[i]
		if password, ok := s.values[c.RegistrySecret]; ok {
			c.Credential = &model.Credential{Username: "me", Password: password}
		}
		for _, ref := range c.Secrets {
			value, ok := s.values[ref.ValueFrom]
			if !ok {
				if ref.ValueFrom == "unreadable" {
					return &fs.PathError{Op: "open", Path: "/place/of/the/machine", Err: fs.ErrPermission}
				}
				return model.Errorf(model.Invalid, "ResourceInitializationError", "no secret %s", ref.ValueFrom)
			}
			c.Env = append(c.Env, model.KeyValue{Name: ref.Name, Value: value})
		}
	}
	return nil
}

func (s *secrets) Credential(_ context.Context, c model.ContainerDefinition) (*model.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.RegistrySecret == "" {
		return nil, nil
	}
	password, ok := s.values[c.RegistrySecret]
	if !ok {
		return nil, model.Errorf(model.Invalid, "ResourceInitializationError", "no secret %s", c.RegistrySecret)
	}
	return &model.Credential{Username: "me", Password: password}, nil
}

// rig is a scheduler and the records of ECS on a state file, with a fake engine
// and balancer.
type rig struct {
	*Scheduler
	*ecs.Catalogue
	t    testing.TB
	db   *store.DB
	eng  *fake.Engine
	lb   *lb
	keep *secrets
	tune func(*Config)                // of schedulers to come; nil: none
	wrap func(*ecs.Catalogue) records // around the records that schedulers to come see; nil: none
	stop func()
}

// inBubble runs a test with a rig in virtual time.
func inBubble(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newRig(t)) })
}

func newRig(tb testing.TB) *rig {
	tb.Helper()
	db, err := store.Open(filepath.Join(tb.TempDir(), "state.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	r := &rig{t: tb, db: db, eng: fake.New(fake.Config{}), lb: newLB(), keep: &secrets{values: map[string]string{"known": "value", "place": "here"}}}
	r.serve()
	if _, err := r.CreateCluster(tb.Context(), ecs.CreateClusterRequest{Name: "c"}); err != nil {
		tb.Fatal(err)
	}
	r.register("web")
	return r
}

// serve starts a scheduler on the rig's state, engine and balancer.
func (r *rig) serve() {
	r.t.Helper()
	cfg := Default(testPlace)
	cfg.Timing = rollout.Timing{}
	cfg.Backoff = rollout.Backoff{First: 20 * time.Millisecond, Max: time.Second, CrashMax: time.Second, ShortLife: time.Minute}
	var s *Scheduler
	if r.tune != nil {
		r.tune(&cfg)
	}
	records, err := ecs.Open(r.db, groups{r.lb}, ecs.Config{Place: testPlace, OnChange: func(cluster, service string) { s.ServiceChanged(cluster, service) }})
	if err != nil {
		r.t.Fatal(err)
	}
	s = New(Parts{Records: seen(r, records), Engine: r.eng, Targets: r.lb, Rules: r.lb, Alarms: r.lb, Logs: noLogs{}, Prepare: r.keep}, cfg, slog.New(slog.DiscardHandler))
	r.Scheduler, r.Catalogue = s, records
	r.lb.changed = s.TargetChanged
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	})
	r.stop = stop
	r.t.Cleanup(stop)
}

// seen are the records as a scheduler sees them.
func seen(r *rig, c *ecs.Catalogue) records {
	if r.wrap != nil {
		return r.wrap(c)
	}
	return c
}

func (r *rig) register(family string, change ...func(*ecs.RegisterTaskDefinitionRequest)) model.TaskDefinition {
	r.t.Helper()
	req := ecs.RegisterTaskDefinitionRequest{
		Family: family, CPU: "256", Memory: "512", NetworkMode: "awsvpc", ExecutionRoleARN: "role",
		Containers: []model.ContainerDefinition{{
			Name: "app", Image: "web:1", Essential: true,
			PortMappings: []model.PortMapping{{ContainerPort: appPort, Protocol: "tcp"}},
			Log: model.LogConfig{Driver: "awslogs", Options: map[string]string{
				"awslogs-group": "/ecs/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web",
			}},
		}},
	}
	for _, c := range change {
		c(&req)
	}
	def, err := r.RegisterTaskDefinition(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return def
}

// create makes the service "s" with n tasks behind the target group.
func (r *rig) create(n int, change ...func(*ecs.CreateServiceRequest)) model.Service {
	r.t.Helper()
	req := ecs.CreateServiceRequest{Cluster: "c", Name: "s", Settings: ecs.ServiceSettings{
		TaskDefinition: new("web"), DesiredCount: &n, Network: &model.Network{Subnets: []string{"subnet-1"}},
		LoadBalancers: []model.ServiceLoadBalancer{{TargetGroupARN: group, ContainerName: "app", ContainerPort: appPort}},
	}}
	for _, c := range change {
		c(&req)
	}
	svc, err := r.CreateService(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return svc
}

// groups are target groups that any service may use.
type groups struct{ *lb }

func (groups) TargetGroup(arn string) (model.TargetGroup, bool) {
	return model.TargetGroup{ARN: arn, TargetType: "ip"}, true
}

func (groups) TargetGroupLoadBalancers(string) []string { return []string{"lb"} }

func (r *rig) desire(n int) {
	r.t.Helper()
	if err := r.SetDesiredCount(r.t.Context(), "c", "s", n); err != nil {
		r.t.Fatal(err)
	}
}

// until waits for a condition that is about to hold.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			svc, _ := r.Service("c", "s")
			r.t.Fatalf("%s: not in 5 min\ntasks %v\ndeployments %+v\nevents\n%s", what, r.states(), svc.Deployments, strings.Join(r.said(), "\n"))
		}
	}
}

// states are the service's tasks as "STATUS desired", ended ones left out.
func (r *rig) states() []string {
	var all []string
	for _, t := range r.Tasks("c") {
		if t.LastStatus != model.TaskStopped {
			all = append(all, string(t.LastStatus))
		}
	}
	slices.Sort(all)
	return all
}

func (r *rig) running() []model.Task {
	var all []model.Task
	for _, t := range r.Tasks("c") {
		if t.LastStatus == model.TaskRunning {
			all = append(all, t)
		}
	}
	return all
}

// stable waits for n running tasks and nothing else, one completed deployment
// and the steady-state event on top.
func (r *rig) stable(n int) {
	r.t.Helper()
	r.until(fmt.Sprintf("stable with %d", n), func() bool {
		svc, _ := r.Service("c", "s")
		events := r.Events("c", "s")
		return len(r.states()) == n && len(r.running()) == n && len(svc.Deployments) == 1 &&
			svc.Deployments[0].RolloutState == rollout.Completed && len(events) > 0 &&
			slices.ContainsFunc(events[:min(len(events), 4)], func(e model.ServiceEvent) bool { return strings.HasSuffix(e.Message, steadyText) })
	})
}

// said gives the events, oldest first, with tasks and deployments numbered as
// they come up.
func (r *rig) said() []string {
	names := map[string]string{}
	number := func(kind, id string) string {
		if names[id] == "" {
			n := 1
			for _, name := range names {
				if strings.HasPrefix(name, kind) {
					n++
				}
			}
			names[id] = fmt.Sprintf("%s%d", kind, n)
		}
		return names[id]
	}
	events := r.Events("c", "s")
	var all []string
	for _, event := range slices.Backward(events) {
		words := strings.Split(strings.ReplaceAll(event.Message, group, "TG"), " ")
		for j, w := range words {
			switch core := strings.Trim(w, "().,:"); {
			case j > 0 && strings.HasSuffix(words[j-1], "(task"):
				words[j] = strings.Replace(w, core, number("T", core), 1)
			case strings.HasPrefix(core, "ecs-svc/"):
				words[j] = strings.Replace(w, core, number("D", core), 1)
			}
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
}
