// Package metadata answers what tasks ask about themselves, at the address and
// in the form of Fargate's task metadata endpoint version 4, and hands out the
// credentials of their roles. It also answers what the agent of ECS does for
// tasks: their protection.
//
// Who asks is known by the address that the question comes from, which the
// engine guarantees; an identifier in the path that belongs to another task is
// answered as one that does not exist. The package keeps no more than the last
// two readings of a task's consumption. Serve is as safe for concurrent use as
// what it reads.
package metadata

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"neargate/internal/model"
)

// Address is where containers find the endpoint.
const Address = "169.254.170.2"

// Config is what the answers say of the place that tasks run in.
type Config struct {
	Place   model.Place
	Gateway netip.Addr   // the machine, which answers about names
	Subnet  netip.Prefix // of tasks that are in no other
	// Range returns the range of a subnet by its ID. nil knows none.
	Range func(subnet string) (netip.Prefix, bool)
	// ConnState is told of each connection what http.Server.ConnState is.
	ConnState func(net.Conn, http.ConnState)
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

	protector protector
	meter     *meter
	pace      pace
}

// New returns the endpoint over the tasks, their roles and their protection.
func New(tasks tasks, roles roles, protector protector, cfg Config) *Metadata {
	return &Metadata{cfg: cfg, tasks: tasks, roles: roles, protector: protector, meter: newMeter(tasks), pace: pace{due: map[netip.Addr]time.Time{}}}
}

// respond answers a request from an address.
func (m *Metadata) respond(ctx context.Context, from netip.Addr, r request) (status int, v any) {
	version, rest, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
	puts := version == "api" && r.method == http.MethodPut
	if r.method != http.MethodGet && r.method != http.MethodHead && !puts {
		return http.StatusMethodNotAllowed, "method not allowed"
	}
	switch version {
	case "api":
		id, page, _ := strings.Cut(rest, "/")
		return m.protection(ctx, from, id, page, r)
	case "v2":
		if id, ok := strings.CutPrefix(rest, "credentials/"); ok {
			return m.credentials(ctx, from, id)
		}
	case "v3", "v4": // the older has less in its answers
		id, page, _ := strings.Cut(rest, "/")
		return m.describe(from, id, strings.TrimSuffix(page, "/"), strings.ToUpper(version))
	}
	return http.StatusNotFound, "page not found"
}

// swift reports whether respond answers a request from memory. Others are for
// the disk, or for files of the kernel's that can take a while.
func (m *Metadata) swift(from netip.Addr, r request) bool {
	if r.method != http.MethodGet && r.method != http.MethodHead || strings.HasSuffix(r.path, "stats") {
		return false
	}
	if !strings.HasPrefix(r.path, "/v2/credentials/") {
		return true
	}
	s, known := m.sender(from)
	return !known || m.roles.Issued(s.record, s.record.Role(s.def))
}

// subject is the task that asks, and which of its containers by the path.
type subject struct {
	*Metadata
	state  model.RunState
	record model.Task
	def    model.TaskDefinition
	asking int
}

// describe answers one of the pages of a container.
func (m *Metadata) describe(from netip.Addr, id, page, version string) (status int, v any) {
	pages := map[string]struct {
		handler string
		answer  func(subject) any
	}{
		"":             {"container metadata", func(s subject) any { return s.container(s.asking) }},
		"task":         {"task metadata", func(s subject) any { return s.task(false) }},
		"taskWithTags": {"task metadata", func(s subject) any { return s.task(true) }},
		"stats":        {"container stats", subject.containerStats},
		"task/stats":   {"task stats", subject.taskStats},
	}
	p, ok := pages[page]
	if !ok {
		return http.StatusNotFound, "page not found"
	}
	s, known := m.subject(from, id)
	if !known {
		return http.StatusNotFound, version + " " + p.handler + " handler: unable to get container ID from request: unable to get docker ID from v3 endpoint ID: " + id
	}
	return http.StatusOK, p.answer(s)
}

// sender returns the task with an address.
func (m *Metadata) sender(from netip.Addr) (s subject, known bool) {
	s.Metadata = m
	if s.state, s.record, known = m.tasks.TaskAt(from); !known {
		return s, false
	}
	s.def, known = m.tasks.TaskDefinition(s.record.TaskDefinitionARN)
	return s, known
}

// subject returns the task with an address, asked about by one of its
// containers.
func (m *Metadata) subject(from netip.Addr, id string) (s subject, known bool) {
	if s, known = m.sender(from); !known {
		return s, false
	}
	for s.asking = range s.state.Containers {
		if s.state.Containers[s.asking].RuntimeID == id {
			return s, s.asking < len(s.record.Containers) && s.asking < len(s.def.Containers)
		}
	}
	return s, false
}
