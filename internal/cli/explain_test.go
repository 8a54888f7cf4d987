package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"neargate/internal/console"
)

// at is a second in the time zone of the machine, which explain shows.
func at(second int) time.Time { return time.Date(2026, 5, 1, 12, 0, second, 0, time.Local) }

func TestExplainPrintsDecisions(t *testing.T) {
	held := console.Decision{Since: at(0), Until: at(7), From: 2, To: 2, Policy: "cpu", Reason: "offered little"}
	out := console.Decision{Since: at(8), Until: at(8), From: 2, To: 8, Policy: "cpu", Reason: "offered much"}
	bound := console.Decision{Since: at(9), Until: at(9), From: 8, To: 9, Reason: "minimum capacity was set to 9"}
	stop, cancel := context.WithCancelCause(t.Context())
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query().Encode(); got != "cluster=c&n=3&service=web" {
			t.Errorf("asked %s", got)
		}
		all := []console.Decision{held, out, bound}
		switch asked++; asked {
		case 1:
			all = all[:1]
		case 2:
			all = all[:2]
		default:
			cancel(errInterrupted)
		}
		_ = json.NewEncoder(w).Encode(console.Decisions{Cluster: "c", Service: "web", Decisions: all})
	}))
	defer srv.Close()
	var said, errs strings.Builder
	o := explainOptions{service: "web", cluster: "c", n: 3}
	if err := explainService(t.Context(), server{srv.URL, srv.Client()}, o, &said, &errs); err != nil {
		t.Fatal(err)
	}
	want := "2026-05-01 12:00:00  holds 2 (7s)       cpu: offered little\n"
	if said.String() != want {
		t.Errorf("got\n%swant\n%s", said.String(), want)
	}
	// Watching prints each decision once, and Ctrl-C is a good end.
	asked = 0
	o.watch = true
	said.Reset()
	if err := explainService(stop, server{srv.URL, srv.Client()}, o, &said, &errs); err != nil {
		t.Fatal(err)
	}
	want += "2026-05-01 12:00:08  2 -> 8             cpu: offered much\n"
	if got := strings.TrimSuffix(said.String(), "2026-05-01 12:00:09  8 -> 9             minimum capacity was set to 9\n"); got != want || errs.Len() > 0 {
		t.Errorf("watching: got\n%s%s\nwant\n%s", got, errs.String(), want)
	}
	asked = 9
	o.watch, o.json = false, true
	said.Reset()
	if err := explainService(t.Context(), server{srv.URL, srv.Client()}, o, &said, &errs); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(said.String()), "\n") {
		var d console.Decision
		if err := json.Unmarshal([]byte(line), &d); err != nil || d.To != []int{2, 8, 9}[i] {
			t.Errorf("line %d: %s, %v", i, line, err)
		}
	}
}

func TestExplainSaysWhatAnALBWouldHaveFailed(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(console.Decisions{Cluster: "c", Service: "web", Spared: []console.Spared{{Reason: "NoTargets", WouldHave: 503, Count: 5}}})
	}))
	defer srv.Close()
	for _, row := range []struct {
		json bool
		want string
	}{
		{false, "an ALB would have answered 5 requests 503: NoTargets\n"},
		{true, `{"reason":"NoTargets","would_have":503,"count":5}` + "\n"},
	} {
		var said, errs strings.Builder
		o := explainOptions{service: "web", cluster: "c", n: 3, json: row.json}
		if err := explainService(t.Context(), server{srv.URL, srv.Client()}, o, &said, &errs); err != nil || said.String() != row.want || errs.Len() > 0 {
			t.Errorf("got %q, %q, %v; want %q", said.String(), errs.String(), err, row.want)
		}
	}
}

func TestExplainSaysWhatIsWrong(t *testing.T) {
	for _, row := range []struct {
		name, body, want, hint string
		status                 int
	}{
		{"unknown cluster", `{"code":"ClusterNotFoundException"}`, "there is no cluster c", "aws ecs list-clusters shows them; --cluster names one", 404},
		{"unknown service", `{"code":"ServiceNotFoundException"}`, "there is no service web in cluster c", "aws ecs list-services --cluster c shows them; --cluster names another cluster", 404},
		{"not scaled", `{"code":"ObjectNotFoundException"}`, "service web is not scaled: it is no scalable target", "aws application-autoscaling register-scalable-target makes it one", 404},
		{"another fault", `{"code":"ValidationException","message":"n: too many"}`, "n: too many", "", 400},
		{"another program", "<html>hello</html>", "what answers at ADDR is no neargate that can explain (200 OK)", "name the server's directory with --data", 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(row.status)
				_, _ = w.Write([]byte(row.body))
			}))
			defer srv.Close()
			var out, errs, said strings.Builder
			err := explainService(t.Context(), server{srv.URL, srv.Client()}, explainOptions{service: "web", cluster: "c", n: 1}, &out, &errs)
			if err == nil {
				t.Fatal("no error")
			}
			report(&said, err)
			want := "neargate: " + row.want + "\n"
			if row.hint != "" {
				want += "hint: " + row.hint + "\n"
			}
			if got := strings.ReplaceAll(said.String(), srv.URL, "ADDR"); got != want {
				t.Errorf("got %swant %s", got, want)
			}
		})
	}
}
