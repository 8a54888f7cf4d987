package local

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"neargate/internal/model"
)

// routed is a task of which one container routes what another prints. The router
// ends after so many messages and starts again, where that is more than 0.
func routed(messages int, args ...string) model.TaskSpec {
	s := spec(args...)
	app := &s.Containers[0]
	app.LogGroup, app.LogStream, app.LogTag = "", "", "app-firelens-1"
	app.DependsOn = []model.Dependency{{Container: "router", Condition: "START"}}
	router := container("router", "router", "/etc/router.conf", "/var/run/fluent.sock", fmt.Sprint(messages))
	router.Files = []model.File{{Path: "/etc/router.conf", Text: "[INPUT]"}}
	if messages > 0 {
		router.Restart = &model.RestartPolicy{}
	}
	s.Router = &model.LogRouter{Container: "router", SocketDir: "/var/run", Socket: "fluent.sock", Acks: true}
	s.Containers = append(s.Containers, router)
	return s
}

// unrouted returns how many of n lines a router has not printed, and how many it has
// printed twice.
func unrouted(got []string, n int) (lost, twice int) {
	seen := map[string]int{}
	for _, l := range got {
		seen[l]++
	}
	for i := range n {
		switch c := seen[fmt.Sprintf("app-firelens-1 app stdout line %d", i)]; {
		case c == 0:
			lost++
		case c > 1:
			twice++
		}
	}
	return lost, twice
}

// TestLogRouterGetsEverything: also what is printed while no engine runs, and
// while the router is on its way back.
func TestLogRouterGetsEverything(t *testing.T) {
	const lines = 20_000
	b := open(t)
	s := routed(2, "lines", fmt.Sprint(lines))
	b.run(s)
	eventually(t, "the router has been sent something", func() bool { return len(b.logs.get("/ecs/test/router")) > 1 })
	b.close()
	b.open()
	eventually(t, "all lines have arrived", func() bool {
		lost, _ := unrouted(b.logs.get("/ecs/test/router"), lines)
		return lost == 0
	})
	if err := b.Stop(t.Context(), s.ID, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	got := b.logs.get("/ecs/test/router")
	_, twice := unrouted(got, lines)
	t.Logf("%d lines came twice", twice)
	if !slices.Contains(got, "router dies") {
		t.Error("the router has not died")
	}
	if got[0] != `config "[INPUT]" <nil>` {
		t.Errorf("the router's configuration is %s", got[0])
	}
}

// TestLastWordsReachTheLogRouter: it ends after those that print to it, when it
// has what they printed.
func TestLastWordsReachTheLogRouter(t *testing.T) {
	b := open(t)
	b.run(routed(0, "print", "one", "two"))
	end := b.exit()
	got := b.logs.get("/ecs/test/router")
	want := []string{`config "[INPUT]" <nil>`, "app-firelens-1 app stdout one", "app-firelens-1 app stdout two", "router ends"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q; %+v", got, want, end)
	}
}

// TestLogRouterThatTakesNothing holds up neither its task nor other output.
func TestLogRouterThatTakesNothing(t *testing.T) {
	b := open(t)
	s := routed(0, "print", "lost")
	s.Containers[1].Command = []string{"idle"}
	b.run(s)
	_, other := b.runOther("print", "arrives")
	if !slices.Contains(other, "arrives") {
		t.Errorf("got %q of another task", other)
	}
	for ended := ""; ended != s.ID; ended = b.exit().ID {
		t.Log("ended:", ended)
	}
}

// runOther runs a task to its output, beside others that go on.
func (b *testBench) runOther(args ...string) (model.RunState, []string) {
	b.t.Helper()
	s := spec(args...)
	s.Containers[0].LogStream = "other"
	state := b.run(s)
	eventually(b.t, "its output is there", func() bool { return len(b.logs.get("/ecs/test/other")) > 0 })
	return state, b.logs.get("/ecs/test/other")
}
