package sts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"neargate/internal/aws/wire"
)

// taskLifetime is how long a task's credentials live, as ECS's do. New ones are
// issued in the second half of it, long before any SDK asks for them.
const taskLifetime = 6 * time.Hour

// TaskCredentials is what a task signs its calls with.
type TaskCredentials struct {
	RoleARN, AccessKey, Secret, Token string
	Expires                           time.Time
}

// ForTask returns credentials of a role, by name or ARN, for a task, by cluster
// and ID. The same are returned again, also after a restart, until half of their
// life is over; they end with the task and with the role. ok is false where a
// task cannot have the role.
func (s *STS) ForTask(ctx context.Context, cluster, id, role string) (c TaskCredentials, ok bool, err error) {
	arn, roleID, ok := s.taskRole(role)
	if !ok {
		return c, false, nil
	}
	task := cluster + "/" + id
	if issued, ok := s.newest(task, roleID); ok {
		return issued.ofTask(arn), true, nil
	}
	one, err, _ := s.issuing.Do(task, func() (any, error) {
		if issued, ok := s.newest(task, roleID); ok { // issued meanwhile
			return issued, nil
		}
		name := arn[strings.LastIndexByte(arn, '/')+1:]
		return s.issue(ctx, wire.Caller{}, credential{
			ARN:    "arn:aws:sts::" + s.cfg.Place.Account + ":assumed-role/" + name + "/" + id,
			UserID: roleID + ":" + id, Role: name, RoleID: roleID, Task: task,
		}, taskLifetime)
	})
	if err != nil {
		return c, false, fmt.Errorf("issue credentials for task %s: %w", id, err)
	}
	return one.(credential).ofTask(arn), true, nil
}

// HasForTask reports whether ForTask would return what was issued before.
func (s *STS) HasForTask(cluster, id, role string) bool {
	_, roleID, ok := s.taskRole(role)
	if ok {
		_, ok = s.newest(cluster+"/"+id, roleID)
	}
	return ok
}

func (c credential) ofTask(role string) TaskCredentials {
	return TaskCredentials{role, c.AccessKey, c.Secret, c.Token, c.Expires}
}

// TaskMayHave reports whether a task can have a role: there is one, and it
// trusts ECS's tasks.
func (s *STS) TaskMayHave(role string) bool {
	_, _, ok := s.taskRole(role)
	return ok
}

// taskRole finds a role by its name or ARN.
func (s *STS) taskRole(role string) (arn, id string, ok bool) {
	if arn = role; !strings.HasPrefix(role, "arn:") {
		arn = s.cfg.Place.RoleARN("/", role)
	}
	if id, _, ok = s.roles.AssumableRole(arn); !ok || !s.roles.Trusts(arn, "ecs-tasks.amazonaws.com") {
		return "", "", false
	}
	return arn, id, true
}

// newest returns the credentials that a task got last, if they are for the role
// and good for half of their life.
func (s *STS) newest(task, roleID string) (credential, bool) {
	s.mu.Lock()
	key := s.byTask[task]
	s.mu.Unlock()
	c, ok := s.issued.Get(key)
	return c, ok && c.RoleID == roleID && s.stands(c) && c.Expires.Sub(s.cfg.Now()) > taskLifetime/2
}

// remembered notes the newest credentials of each task.
func (s *STS) remembered() {
	all := s.issued.List("")
	slices.SortFunc(all, func(a, b credential) int { return a.Expires.Compare(b.Expires) })
	for _, c := range all {
		if c.Task != "" {
			s.byTask[c.Task] = c.AccessKey
		}
	}
}
