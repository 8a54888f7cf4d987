package console

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"neargate/internal/autoscaler"
	"neargate/internal/model"
)

// world has cluster c with the services web, which is scaled, idle, which is
// not, lenient, of which an ALB would have failed requests, and gone, which was
// deleted.
type world struct{ asked int }

func (*world) Cluster(name string) (model.Cluster, bool) {
	return model.Cluster{Name: "c", Status: "ACTIVE"}, name == "c" || name == "default"
}

func (*world) Service(cluster, name string) (model.Service, bool) {
	name = name[strings.LastIndexByte(name, '/')+1:]
	status, ok := map[string]model.Status{"web": model.Active, "idle": model.Active, "lenient": model.Active, "gone": model.Inactive}[name]
	svc := model.Service{Cluster: cluster, Name: name, Status: status}
	if name == "lenient" {
		svc.LoadBalancers = []model.ServiceLoadBalancer{{TargetGroupARN: "blue", AlternateARN: "green"}}
	}
	return svc, ok
}

func (w *world) Names() (Names, error) {
	return Names{
		Machine: []netip.AddrPort{netip.MustParseAddrPort("127.53.0.1:53")}, Zones: []string{"localhost"},
		LoadBalancers: []NamedBalancer{{Names: []string{"shop.example.test"}, Scheme: "internal", Machine: netip.MustParseAddr("127.64.0.1"), World: []netip.Addr{}}},
	}, nil
}

func (*world) Spared(arn string) []model.Spared {
	return map[string][]model.Spared{
		"blue":  {{Reason: "NoTargets", Status: 503, Count: 2}},
		"green": {{Reason: "TargetRefusedConnection", Status: 502, Count: 1}, {Reason: "NoTargets", Status: 503, Count: 3}},
	}[arn]
}

func (w *world) Explain(id string, n int) ([]autoscaler.Explained, error) {
	w.asked = n
	if id != "service/c/web" {
		return nil, model.Errorf(model.NotFound, "ObjectNotFoundException", "No scalable target")
	}
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return []autoscaler.Explained{{Since: at, Until: at.Add(time.Second), From: 2, To: 8, Policy: "cpu", Reason: "offered much"}}, nil
}

func (*world) AllServices() []model.Service {
	return []model.Service{
		{Cluster: "c", Name: "web", DesiredCount: 2, Status: model.Active, LoadBalancers: []model.ServiceLoadBalancer{{TargetGroupARN: "tg"}}},
		{Cluster: "c", Name: "gone", Status: model.Inactive},
	}
}

func (*world) AllTasks() []model.Task {
	return []model.Task{
		{ID: "t2", Cluster: "c", Service: "web", Group: "service:web", LastStatus: model.TaskPending},
		{ID: "t1", Cluster: "c", Service: "web", Group: "service:web", LastStatus: model.TaskRunning, CPUUnits: 256, MemoryMiB: 512},
		{ID: "t0", Cluster: "c", Service: "web", LastStatus: model.TaskStopped},
	}
}

func (*world) Usage(id string) (model.TaskUsage, bool) {
	return model.TaskUsage{
		At: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), Network: model.NetworkUsage{RxBytes: 5, TxBytes: 6},
		Containers: []model.ContainerUsage{
			{Name: "app", Running: true, CPU: time.Second, Memory: 100, MemoryStat: map[string]uint64{"inactive_file": 40}, MemoryLimit: 200}, {Name: "init"},
		},
	}, id == "t1"
}

func (*world) Traffic() []model.TargetGroupTraffic {
	return []model.TargetGroupTraffic{{TargetGroupARN: "tg", Arrivals: 7}, {TargetGroupARN: "other", Arrivals: 1}}
}

func (w *world) Root() ([]byte, error) { return []byte("-----BEGIN CERTIFICATE-----\n"), nil }

func TestPages(t *testing.T) {
	const web = `{"cluster":"c","service":"web","decisions":[{"since":"2026-05-01T12:00:00Z","until":"2026-05-01T12:00:01Z","from":2,"to":8,"policy":"cpu","reason":"offered much"}]}`
	for _, row := range []struct {
		name, method, path string
		status             int
		body               string
		asked              int
	}{
		{"health", "GET", "/_neargate/health", 200, `{"status":"ready"}`, 0},
		{"decisions", "GET", "/_neargate/decisions?cluster=c&service=web&n=3", 200, web, 3},
		{"the default cluster and number", "GET", "/_neargate/decisions?service=web", 200, web, 10},
		{"an ARN", "GET", "/_neargate/decisions?service=arn:aws:ecs:us-east-1:000000000000:service/c/web", 200, web, 10},
		{"no service named", "GET", "/_neargate/decisions", 400, `{"code":"ValidationException","message":"service: name one"}`, 0},
		{"no number", "GET", "/_neargate/decisions?service=web&n=all", 400, `{"code":"ValidationException","message":"n \"all\": want a number from 1 to 1000"}`, 0},
		{"too many", "GET", "/_neargate/decisions?service=web&n=1001", 400, `{"code":"ValidationException","message":"n \"1001\": want a number from 1 to 1000"}`, 0},
		{"none", "GET", "/_neargate/decisions?service=web&n=-1", 400, `{"code":"ValidationException","message":"n \"-1\": want a number from 1 to 1000"}`, 0},
		{"unknown cluster", "GET", "/_neargate/decisions?cluster=x&service=web", 404, `{"code":"ClusterNotFoundException","message":"Cluster not found."}`, 0},
		{"unknown service", "GET", "/_neargate/decisions?service=x", 404, `{"code":"ServiceNotFoundException","message":"Service not found."}`, 0},
		{"deleted service", "GET", "/_neargate/decisions?service=gone", 404, `{"code":"ServiceNotFoundException","message":"Service not found."}`, 0},
		{"lenient but not scaled", "GET", "/_neargate/decisions?service=lenient", 200, `{"cluster":"c","service":"lenient","decisions":[],"spared":[{"reason":"NoTargets","would_have":503,"count":5},{"reason":"TargetRefusedConnection","would_have":502,"count":1}]}`, 10},
		{"not scaled", "GET", "/_neargate/decisions?service=idle", 404, `{"code":"ObjectNotFoundException","message":"No scalable target"}`, 10},
		{"usage", "GET", "/_neargate/usage?cluster=c", 200, `"services":[{"cluster":"c","service":"web","desired":2,"requests":7,"balanced":true}],"tasks":[{"cluster":"c","service":"web","group":"service:web","task":"t1","status":"RUNNING","cpu_units":256,"memory_mib":512,"at":"2026-05-01T12:00:00Z","rx_bytes":5,"tx_bytes":6,"containers":[{"container":"app","cpu_ns":1000000000,"memory_bytes":60,"memory_limit_bytes":200}]},{"cluster":"c","service":"web","group":"service:web","task":"t2","status":"PENDING","cpu_units":0,"memory_mib":0,"at":"0001-01-01T00:00:00Z","rx_bytes":0,"tx_bytes":0,"containers":[]}]}`, 0},
		{"usage of another cluster", "GET", "/_neargate/usage?cluster=x", 200, `"services":[],"tasks":[]}`, 0},
		{"names", "GET", "/_neargate/names", 200, `{"machine":["127.53.0.1:53"],"world":null,"zones":["localhost"],"load_balancers":[{"names":["shop.example.test"],"scheme":"internal","machine":"127.64.0.1","world":[]}]}`, 0},
		{"root", "GET", "/_neargate/ca", 200, "-----BEGIN CERTIFICATE-----", 0},
		{"another page", "GET", "/_neargate/", 404, "404 page not found", 0},
		{"only reads", "POST", "/_neargate/decisions?service=web", 405, "Method Not Allowed", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := &world{}
			got := httptest.NewRecorder()
			Handler(nil, Sources{Services: w, Decisions: w, Balancer: w, Consumption: w, Names: w, Authority: w}).ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), row.method, "http://127.0.0.1:4566"+row.path, http.NoBody))
			body := strings.TrimSpace(got.Body.String())
			if _, rest, found := strings.Cut(body, `"at":`); found && strings.Contains(row.path, "usage") { // the time of the answer
				_, body, _ = strings.Cut(rest, ",")
			}
			if got.Code != row.status || body != row.body || w.asked != row.asked {
				t.Errorf("got %d %s, %d decisions asked for; want %d %s, %d", got.Code, body, w.asked, row.status, row.body, row.asked)
			}
		})
	}
}

// A browser that was led here under another site's name sends that name.
func TestOtherNamesAreNotAnswered(t *testing.T) {
	for host, status := range map[string]int{
		"127.0.0.1:4566": 200, "127.0.0.1": 200, "[::1]:4566": 200, "192.0.2.7:4566": 200, "localhost:4566": 200, "LOCALHOST": 200,
		"box.lan:4566": 200, "Box.LAN": 200,
		"attacker.example:4566": 421, "attacker.example": 421, "127.0.0.1.attacker.example": 421, "localhost.attacker.example:4566": 421, "box.lan.": 421, "": 421,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/_neargate/decisions?service=web", http.NoBody)
		r.Host = host
		w, got := &world{}, httptest.NewRecorder()
		Handler([]string{"box.lan"}, Sources{Services: w, Decisions: w, Balancer: w, Consumption: w, Names: w, Authority: w}).ServeHTTP(got, r)
		if got.Code != status || (status != 200) != (w.asked == 0) {
			t.Errorf("Host %q: status %d, %d decisions asked for, want %d", host, got.Code, w.asked, status)
		}
	}
}
