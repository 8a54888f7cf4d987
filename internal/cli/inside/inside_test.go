package inside

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// event is a line that a server has.
type event struct {
	ID, Stream, Text string
	At               int64
}

// server answers as much of the APIs as logs need.
type server struct {
	mu     sync.Mutex
	tasks  map[string]string // status by ID
	events []event
	served int // events that were sent
}

const arn = "arn:aws:ecs:us-east-1:000000000000:task/default/"

func (s *server) set(task, status string, events ...event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks[task] = status
	s.events = append(s.events, events...)
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in struct {
		DesiredStatus, ServiceName string
		StartTime                  int64
		LogStreamNamePrefix        string
		LogStreamNames             []string
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var out any
	switch op {
	case "ListTasks":
		if in.ServiceName != "" && in.ServiceName != "web" {
			w.WriteHeader(http.StatusBadRequest)
			out = map[string]string{"__type": "ServiceNotFoundException", "message": "Service not found."}
			break
		}
		arns := []string{}
		for id, status := range s.tasks {
			if (status == "STOPPED") == (in.DesiredStatus == "STOPPED") {
				arns = append(arns, arn+id)
			}
		}
		out = map[string]any{"taskArns": arns}
	case "DescribeTasks":
		var tasks []map[string]any
		for id, status := range s.tasks {
			tasks = append(tasks, map[string]any{"taskArn": arn + id, "lastStatus": status, "taskDefinitionArn": "web:1"})
		}
		out = map[string]any{"tasks": tasks}
	case "DescribeTaskDefinition":
		out = map[string]any{"taskDefinition": map[string]any{"containerDefinitions": []map[string]any{
			{"name": "app", "logConfiguration": map[string]any{"logDriver": "awslogs", "options": map[string]string{"awslogs-group": "/web", "awslogs-stream-prefix": "p"}}},
			{"name": "side", "logConfiguration": map[string]any{"logDriver": "awslogs", "options": map[string]string{"awslogs-group": "/web", "awslogs-stream-prefix": "p"}}},
			{"name": "mute"},
		}}}
	case "FilterLogEvents":
		if i := slices.IndexFunc(in.LogStreamNames, s.lacks); i >= 0 || len(in.LogStreamNames) > 100 {
			w.WriteHeader(http.StatusBadRequest)
			out = map[string]string{"__type": "ResourceNotFoundException", "message": "The specified log stream does not exist."}
			if i < 0 {
				out = map[string]string{"__type": "InvalidParameterException", "message": "more than 100 streams"}
			}
			break
		}
		events := []map[string]any{}
		for _, e := range s.events {
			named := len(in.LogStreamNames) == 0 || slices.Contains(in.LogStreamNames, e.Stream)
			if e.At >= in.StartTime && named && strings.HasPrefix(e.Stream, in.LogStreamNamePrefix) {
				s.served++
				events = append(events, map[string]any{"eventId": e.ID, "logStreamName": e.Stream, "message": e.Text, "timestamp": e.At, "ingestionTime": e.At})
			}
		}
		out = map[string]any{"events": events}
	}
	_ = json.NewEncoder(w).Encode(out)
}

// lacks reports that nothing was printed to a stream.
func (s *server) lacks(stream string) bool {
	return !slices.ContainsFunc(s.events, func(e event) bool { return e.Stream == stream })
}

func newCluster(t *testing.T) (*Cluster, *server) {
	t.Helper()
	s := &server{tasks: map[string]string{}}
	web := httptest.NewServer(s)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		web.Close()
	})
	client := &http.Client{Transport: transport}
	c := Open(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(web.URL), HTTPClient: client, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}, client, "default")
	c.poll = time.Millisecond
	return c, s
}

// lines takes what is printed.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) get() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.text.String(), "\n"), "\n")
}

// until waits for lines.
func (l *lines) until(t *testing.T, want ...string) {
	t.Helper()
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for deadline := time.Now().Add(time.Minute); !slices.Equal(l.get(), want); <-pause.C {
		if time.Now().After(deadline) {
			t.Fatalf("got %q, want %q", l.get(), want)
		}
	}
}

// TestFollowPrintsEachLineOnce, in the order of time, also of tasks that come
// later and of lines that come late, and only those of the service.
func TestFollowPrintsEachLineOnce(t *testing.T) {
	c, s := newCluster(t)
	now := time.Now().UnixMilli()
	s.set("aaaaaaaa11", "RUNNING",
		event{"3", "p/app/aaaaaaaa11", "three", now - 1000}, event{"1", "p/app/aaaaaaaa11", "one\n", now - 5000},
		event{"2", "p/side/aaaaaaaa11", "two", now - 3000}, event{"x", "p/app/ffffffff", "of another", now}, event{"0", "p/app/aaaaaaaa11", "too old", now - 3700_000})
	ctx, cancel := context.WithCancel(t.Context())
	var out lines
	done := make(chan error, 1)
	go func() {
		_, err := c.PrintLogs(ctx, LogRequest{Target: "web", Since: time.Hour, Follow: true}, &out)
		done <- err
	}()
	want := []string{"aaaaaaaa app one", "aaaaaaaa side two", "aaaaaaaa app three"}
	out.until(t, want...)
	s.set("bbbbbbbb22", "RUNNING", event{"4", "p/app/bbbbbbbb22", "of a new task", now + 20_000})
	want = append(want, "bbbbbbbb app of a new task")
	out.until(t, want...)
	s.set("bbbbbbbb22", "STOPPED", event{"5", "p/side/aaaaaaaa11", "late", now + 15_000})
	out.until(t, append(want, "aaaaaaaa side late")...)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLogsOfOneTaskEndWithIt(t *testing.T) {
	c, s := newCluster(t)
	now := time.Now().UnixMilli()
	s.set("aaaaaaaa11", "STOPPED", event{"1", "p/app/aaaaaaaa11", "one", now}, event{"2", "p/side/aaaaaaaa11", "two", now})
	var out lines
	n, err := c.PrintLogs(t.Context(), LogRequest{Target: "aaaa", Container: "side", Since: time.Hour, Follow: true}, &out)
	if err != nil || n != 1 || !slices.Equal(out.get(), []string{"aaaaaaaa two"}) {
		t.Errorf("got %d, %v and %q", n, err, out.get())
	}
}

// TestLogsReadNoOtherTask, however much one prints under the same name, and miss
// no line because other tasks of the service have printed none.
func TestLogsReadNoOtherTask(t *testing.T) {
	for _, row := range []struct {
		target string
		tasks  int
		want   int // lines
	}{{"task0000", 1, 1}, {"web", 1, 1}, {"web", 7, 3}, {"web", 250, 84}} {
		t.Run(fmt.Sprintf("%s of %d", row.target, row.tasks), func(t *testing.T) {
			c, s := newCluster(t)
			now := time.Now().UnixMilli()
			for i := range row.tasks {
				name := fmt.Sprintf("task%04d", i)
				s.set(name, "RUNNING")
				if i%3 == 0 {
					s.set(name, "RUNNING", event{name, "p/app/" + name, "mine", now})
				}
			}
			for i := range 1000 {
				s.set("task0000", "RUNNING", event{fmt.Sprint(i), "p/app/chatty", "of another", now})
			}
			var out lines
			n, err := c.PrintLogs(t.Context(), LogRequest{Target: row.target, Since: time.Hour}, &out)
			if err != nil || n != row.want || s.served != n {
				t.Errorf("PrintLogs = %d, %v, of %d lines sent, want %d", n, err, s.served, row.want)
			}
		})
	}
}

func TestLogsRefuse(t *testing.T) {
	c, s := newCluster(t)
	s.set("aaaaaaaa11", "RUNNING")
	s.set("aaaabbbb22", "RUNNING")
	for _, row := range []struct{ target, container, want string }{
		{"other", "", "there is no service other in cluster default"},
		{"aaaa", "", "2 tasks begin with aaaa"},
		{arn + "cccc", "", "there is no task cccc in cluster default"},
		{"web", "none", "web has no container none"},
		{"web", "mute", "the containers of web keep no logs"},
	} {
		_, err := c.PrintLogs(t.Context(), LogRequest{Target: row.target, Container: row.container, Since: time.Hour}, &lines{})
		if trouble, ok := errors.AsType[*Trouble](err); !ok || trouble.What != row.want || trouble.Hint == "" {
			t.Errorf("%s: got %v, want %q and a hint", row.target, err, row.want)
		}
	}
}

func TestTasksAsATable(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	task := func(id string, change func(*types.Task)) types.Task {
		t := types.Task{
			TaskArn: aws.String(arn + id), Group: aws.String("service:web"), LastStatus: aws.String("RUNNING"), HealthStatus: types.HealthStatusHealthy,
			StartedAt: aws.Time(now.Add(-3 * time.Minute)),
			Containers: []types.Container{{
				Name: aws.String("app"), Image: aws.String("127.0.0.1:4566/app@sha256:" + strings.Repeat("0", 64)),
				NetworkInterfaces: []types.NetworkInterface{{PrivateIpv4Address: aws.String("10.0.0.7")}},
			}},
		}
		change(&t)
		return t
	}
	tasks := []types.Task{
		task("1111111111", func(t *types.Task) {
			t.LastStatus, t.StoppedAt, t.StoppedReason = aws.String("STOPPED"), aws.Time(now.Add(-90*time.Second)), aws.String("Essential container in task exited")
			t.Containers[0].ExitCode, t.Containers[0].Reason = aws.Int32(137), aws.String("OutOfMemoryError: Container killed due to memory usage")
		}),
		task("2222222222", func(*types.Task) {}),
		task("3333333333", func(t *types.Task) {
			t.Group, t.LastStatus, t.HealthStatus = aws.String("family:batch"), aws.String("PENDING"), types.HealthStatusUnknown
			t.StartedAt, t.CreatedAt, t.Containers[0].NetworkInterfaces = nil, aws.Time(now.Add(-50*time.Hour)), nil
			t.Containers = append(t.Containers, types.Container{Name: aws.String("side"), Image: aws.String("library/nginx:1.27")})
		}),
	}
	var out bytes.Buffer
	if err := PrintTasks(&out, tasks, now); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"TASK      SERVICE  STATUS   HEALTH   ADDRESS   AGE      IMAGE                   REASON",
		"22222222  web      RUNNING  HEALTHY  10.0.0.7  3m       app",
		"33333333  -        PENDING  -        -         2d       app,library/nginx:1.27",
		"11111111  web      STOPPED  -        -         90s ago  app                     Essential container in task exited [app: exit code 137, OutOfMemoryError: Container killed due to memory usage]",
	}, "\n") + "\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestPick(t *testing.T) {
	for name, c := range map[string]struct {
		tasks map[string]string
		want  string
	}{
		"one runs":  {map[string]string{"aaaa": "STOPPED", "bbbb": "RUNNING"}, "bbbb"},
		"none runs": {map[string]string{"aaaa": "PENDING"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cluster, s := newCluster(t)
			for id, status := range c.tasks {
				s.set(id, status)
			}
			got, err := cluster.Pick(t.Context(), "web")
			if (err == nil) != (c.want != "") || err == nil && id(got) != c.want {
				t.Errorf("got %v and %v, want %q", fmt.Sprint(aws.ToString(got.TaskArn)), err, c.want)
			}
		})
	}
}
