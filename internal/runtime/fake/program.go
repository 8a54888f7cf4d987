package fake

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// The exit codes of containers that SIGKILL and SIGTERM ended.
const (
	killed     = 137
	terminated = 143
)

// defaultStop is how long a stubborn container has when nobody says otherwise.
const defaultStop = 30 * time.Second

// plan is what a container does.
type plan struct {
	ends     bool
	code     int
	after    time.Duration // from its start to its end
	stubborn bool
	lines    []string
	write    string // the file into which it writes its text; "": none
	text     string
	read     string        // the file that it prints; "": none
	port     string        // on which it serves; "": it does not
	check    string        // the health it will have; "": none
	checked  time.Duration // when it has it, from its start
}

func planOf(c model.ContainerSpec) plan {
	var p plan
	args := c.Command
	if len(args) > 0 {
		switch args[0] {
		case "exit":
			p.ends, p.code = true, number(args, 1)
			p.after = time.Duration(number(args, 2)) * time.Millisecond
		case "print":
			p.ends, p.lines = true, args[1:]
		case "serve":
			p.port = strconv.Itoa(number(args, 1))
		case "wait":
			p.lines = []string{"ready"}
		case "write":
			p.ends, p.write, p.text = true, word(args, 1), word(args, 2)
		case "read":
			p.ends, p.read = true, word(args, 1)
		case "stubborn":
			p.stubborn, p.lines = true, []string{"ready"}
		}
	}
	if h := c.HealthCheck; h != nil && len(h.Command) > 2 && h.Command[len(h.Command)-2] == "exit" {
		p.check, p.checked = "HEALTHY", h.Interval
		if h.Command[len(h.Command)-1] != "0" {
			p.check, p.checked = "UNHEALTHY", h.Interval*time.Duration(max(1, h.Retries))
		}
	}
	return p
}

func word(args []string, i int) string {
	if i >= len(args) {
		return ""
	}
	return args[i]
}

func number(args []string, i int) int {
	if i >= len(args) {
		return 0
	}
	n, _ := strconv.Atoi(args[i])
	return n
}

// startContainers starts the containers, each after those it depends on. What
// ends at once has ended then. waits reports that some would wait for ever.
func startContainers(t *entry) (waits bool, err error) {
	for pending := len(t.plans); pending > 0; {
		before := pending
		pending = 0
		for i := range t.plans {
			s := &t.state.Containers[i]
			if s.Running || s.ExitCode != nil {
				continue
			}
			ready, err := t.ready(i)
			if err != nil {
				return false, err
			}
			if !ready {
				pending++
				continue
			}
			s.Running, s.CreatedAt, s.StartedAt = true, time.Now(), time.Now()
			t.useFiles(i)
			if p := t.plans[i]; p.ends && (p.after == 0 || t.awaited(s.Name)) {
				s.Running, s.ExitCode, s.FinishedAt = false, &p.code, time.Now()
			}
		}
		if pending > 0 && t.over() {
			return false, fmt.Errorf("start task %s: %w", t.spec.ID, runtime.ErrEssentialEnded)
		}
		if pending == before {
			return true, nil
		}
	}
	return false, nil
}

// ready reports whether all dependencies of the container are met.
func (t *entry) ready(i int) (bool, error) {
	for _, d := range t.spec.Containers[i].DependsOn {
		j := slices.IndexFunc(t.state.Containers, func(s model.ContainerState) bool { return s.Name == d.Container })
		on := &t.state.Containers[j]
		switch d.Condition {
		case "SUCCESS", "COMPLETE":
			if on.ExitCode == nil {
				return false, nil
			}
			if d.Condition == "SUCCESS" && *on.ExitCode != 0 {
				return false, model.Errorf(model.Invalid, runtime.CodeWait,
					"container %s cannot start: dependency %s exited with code %d", t.spec.Containers[i].Name, d.Container, *on.ExitCode)
			}
		case "HEALTHY":
			if t.plans[j].check != "HEALTHY" {
				return false, model.Errorf(model.Invalid, runtime.CodeWait,
					"container %s cannot start: dependency %s is unhealthy", t.spec.Containers[i].Name, d.Container)
			}
			on.Health = "HEALTHY"
		}
		if !on.Running && on.ExitCode == nil {
			return false, nil
		}
	}
	return true, nil
}

// awaited reports whether another container waits for the end of this one.
func (t *entry) awaited(name string) bool {
	return slices.ContainsFunc(t.spec.Containers, func(c model.ContainerSpec) bool {
		return slices.ContainsFunc(c.DependsOn, func(d model.Dependency) bool {
			return d.Container == name && (d.Condition == "SUCCESS" || d.Condition == "COMPLETE")
		})
	})
}

// over reports whether the task has nothing more to do.
func (t *entry) over() bool {
	going := 0
	for i, s := range t.state.Containers {
		if s.ExitCode == nil {
			going++
		} else if t.spec.Containers[i].Essential {
			return true
		}
	}
	return going == 0
}

// resistance is how long the task takes to obey a stop.
func (t *entry) resistance(timeout time.Duration) time.Duration {
	var longest time.Duration
	for i, c := range t.spec.Containers {
		if !t.plans[i].stubborn || !t.state.Containers[i].Running {
			continue
		}
		limit := timeout
		if c.StopTimeout > 0 {
			limit = c.StopTimeout
		} else if limit <= 0 {
			limit = defaultStop
		}
		longest = max(longest, limit)
	}
	return longest
}

// schedule arranges what the containers of a running task do by themselves.
func (e *Engine) schedule(t *entry) {
	for i, p := range t.plans {
		if !t.state.Running || !t.state.Containers[i].Running {
			continue
		}
		if p.ends {
			time.AfterFunc(p.after, func() { e.containerEnds(t, i) })
		}
		if p.check != "" {
			time.AfterFunc(p.checked, func() {
				e.mu.Lock()
				defer e.mu.Unlock()
				e.setHealthLocked(t, i, p.check)
			})
		}
	}
}

// containerEnds ends one container, and the task with an essential one or the
// last.
func (e *Engine) containerEnds(t *entry, i int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !t.state.Running || !t.state.Containers[i].Running {
		return
	}
	code := t.plans[i].code
	again := startsAgain(t.spec.Containers[i].Restart, t.plans[i])
	t.change(func(j int, c *model.ContainerState) {
		switch {
		case i == j && again:
			c.RestartCount++
			c.StartedAt = time.Now()
		case i == j:
			c.Running, c.ExitCode, c.FinishedAt = false, &code, time.Now()
		}
	})
	if again {
		time.AfterFunc(t.plans[i].after, func() { e.containerEnds(t, i) })
		return
	}
	if t.over() {
		e.endLocked(t, terminated, "")
		return
	}
	e.events.Put(runtime.Event{Kind: runtime.ContainerEnded, Container: t.state.Containers[i].Name, State: t.state})
}

// startsAgain reports whether a container's policy has it start again.
func startsAgain(r *model.RestartPolicy, p plan) bool {
	return r != nil && p.after >= r.AttemptPeriod && !slices.Contains(r.IgnoredExitCodes, p.code)
}

// print has the sink take what the containers print.
func (e *Engine) print(ctx context.Context, t *entry) {
	e.mu.Lock()
	sink := e.cfg.Logs
	e.mu.Unlock()
	for i, c := range t.spec.Containers {
		p := t.plans[i]
		if sink == nil || c.LogGroup == "" || len(p.lines) == 0 {
			continue
		}
		lines := make([]model.LogLine, len(p.lines))
		for i, l := range p.lines {
			lines[i] = model.LogLine{At: time.Now(), Message: l}
		}
		_ = sink.Append(ctx, c.LogGroup, c.LogStream, lines) // a sink that refuses gets no second offer
	}
}
