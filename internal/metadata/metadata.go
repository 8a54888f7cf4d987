// Package metadata answers what tasks ask about themselves, at the address and
// in the form of Fargate's task metadata endpoint version 4, and hands out the
// credentials of their roles.
//
// Who asks is known by the address that the question comes from, which the
// engine guarantees; an identifier in the path that belongs to another task is
// answered as one that does not exist. The package keeps no more than the last
// two readings of a task's consumption, and its handler is as safe for
// concurrent use as what it reads. It knows nothing of
// sockets: those, and their limits, are the caller's.
package metadata

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"neargate/internal/model"
)

// Address is where containers find the endpoint.
const Address = "169.254.170.2"

// Config is what the answers say of the place that tasks run in.
type Config struct {
	Place   model.Place
	Gateway netip.Addr
	Subnet  netip.Prefix
}

// tasks knows who asks.
type tasks interface {
	// TaskAt returns the task with the address, and its record.
	TaskAt(address netip.Addr) (model.RunState, model.Task, bool)
	// TaskDefinition returns a definition by its ARN.
	TaskDefinition(arn string) (model.TaskDefinition, bool)
	// Usage returns what a running task has consumed until now.
	Usage(id string) (model.TaskUsage, bool)
}

// Metadata answers tasks.
type Metadata struct {
	cfg   Config
	tasks tasks
	roles roles
	meter *meter
}

// New returns the endpoint over the tasks and their roles.
func New(tasks tasks, roles roles, cfg Config) *Metadata {
	return &Metadata{cfg: cfg, tasks: tasks, roles: roles, meter: newMeter(tasks)}
}

// Handler answers requests. It is for connections whose sender nobody can forge.
func (m *Metadata) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, version := range []string{"V3", "V4"} { // the older has less in its answers
		path := "GET /" + strings.ToLower(version) + "/{id}"
		mux.HandleFunc(path, m.answer(version+" container metadata handler", func(s subject) any { return s.container(s.asking) }))
		mux.HandleFunc(path+"/task", m.answer(version+" task metadata handler", func(s subject) any { return s.task(false) }))
		mux.HandleFunc(path+"/taskWithTags", m.answer(version+" task metadata handler", func(s subject) any { return s.task(true) }))
		mux.HandleFunc(path+"/stats", m.answer(version+" container stats handler", subject.containerStats))
		mux.HandleFunc(path+"/task/stats", m.answer(version+" task stats handler", subject.taskStats))
	}
	mux.HandleFunc("GET /v2/credentials/{id}", m.credentials)
	return mux
}

// subject is the task that asks, and which of its containers by the path.
type subject struct {
	*Metadata
	state  model.RunState
	record model.Task
	def    model.TaskDefinition
	asking int
}

// answer finds out who asks, and answers.
func (m *Metadata) answer(handler string, with func(subject) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, known := m.subject(r)
		if !known {
			write(w, http.StatusNotFound, handler+": unable to get container ID from request: unable to get docker ID from v3 endpoint ID: "+r.PathValue("id"))
			return
		}
		write(w, http.StatusOK, with(s))
	}
}

// sender returns the task that sent a request.
func (m *Metadata) sender(r *http.Request) (s subject, known bool) {
	s.Metadata = m
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return s, false
	}
	if s.state, s.record, known = m.tasks.TaskAt(from.Addr()); !known {
		return s, false
	}
	s.def, known = m.tasks.TaskDefinition(s.record.TaskDefinitionARN)
	return s, known
}

func (m *Metadata) subject(r *http.Request) (s subject, known bool) {
	if s, known = m.sender(r); !known {
		return s, false
	}
	for s.asking = range s.state.Containers {
		if s.state.Containers[s.asking].RuntimeID == r.PathValue("id") {
			return s, s.asking < len(s.record.Containers) && s.asking < len(s.def.Containers)
		}
	}
	return s, false
}

func write(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`"failed to get metadata"`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the task may have gone
}
