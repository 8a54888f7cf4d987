package sts_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"neargate/internal/aws/sts"
)

const taskRole = "arn:aws:iam::000000000000:role/deploy"

func (s *server) forTask(t *testing.T, id string) sts.TaskCredentials {
	t.Helper()
	c, ok, err := s.sts.ForTask(t.Context(), "shop", id, taskRole)
	if err != nil || !ok {
		t.Fatalf("task %s: %v, %v", id, ok, err)
	}
	return c
}

// who is the identity that a task has with its credentials.
func (s *server) who(t *testing.T, c sts.TaskCredentials) string {
	t.Helper()
	return identity(t, s.client(c.AccessKey, c.Secret, c.Token))
}

func TestTasksAreSessionsOfTheirRole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, stop := start(t, path)
	first := s.forTask(t, "1")
	const want = "arn:aws:sts::000000000000:assumed-role/deploy/1 AROAEXAMPLE:1"
	if got := s.who(t, first); got != want || first.RoleARN != taskRole {
		t.Errorf("the task is %q with %s, want %q", got, first.RoleARN, want)
	}
	if lives := time.Until(first.Expires); lives < 6*time.Hour-time.Minute || lives > 6*time.Hour {
		t.Errorf("its credentials live %s", lives)
	}
	if other := s.forTask(t, "2"); other.AccessKey == first.AccessKey {
		t.Error("two tasks have the same key")
	}
	stop()
	s, stop = start(t, path)
	defer stop()
	if again := s.forTask(t, "1"); again != first {
		t.Error("other credentials after a restart")
	}
	if got := s.who(t, first); got != want {
		t.Errorf("after a restart the task is %q", got)
	}
}

// TestTasksCredentialsAreRotated: new ones come in time, the old ones hold until
// they expire.
func TestTasksCredentialsAreRotated(t *testing.T) {
	s := newServer(t)
	first := s.forTask(t, "1")
	s.ahead.Store(int64(3*time.Hour - time.Minute))
	if s.forTask(t, "1") != first {
		t.Error("rotated within the first half of their life")
	}
	s.ahead.Store(int64(3*time.Hour + time.Minute))
	var all sync.Map
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() { c, _, _ := s.sts.ForTask(t.Context(), "shop", "1", taskRole); all.Store(c, true) })
	}
	calls.Wait()
	second := s.forTask(t, "1")
	if second == first || !second.Expires.After(first.Expires) {
		t.Errorf("not rotated: %s then %s", first.Expires, second.Expires)
	}
	count := 0
	all.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("%d credentials for calls at once", count)
	}
}

func TestTasksCredentialsEnd(t *testing.T) {
	s := newServer(t)
	one, two := s.forTask(t, "1"), s.forTask(t, "2")
	chained := assume(t, s.client(one.AccessKey, one.Secret, one.Token), 900)
	s.ended.Store("shop/1", true)
	if got := s.who(t, one); got != "InvalidClientTokenId" {
		t.Errorf("of a task that has ended: %q", got)
	}
	if code := s.code(t, chained); code != "InvalidClientTokenId" {
		t.Errorf("of a session that it asked for: %q", code)
	}
	if got := s.who(t, two); got == "InvalidClientTokenId" {
		t.Error("another task's ended with it")
	}
	s.role.id.Store(aws.String("AROAOTHER")) // deleted, and made again
	if got := s.who(t, two); got != "InvalidClientTokenId" {
		t.Errorf("of a role that was deleted: %q", got)
	}
	if again := s.forTask(t, "2"); again == two {
		t.Error("the task gets what its former role had")
	}
	if _, ok, err := s.sts.ForTask(t.Context(), "shop", "2", "arn:aws:iam::000000000000:role/none"); ok || err != nil {
		t.Errorf("a role that is not there: %v, %v", ok, err)
	}
	if !s.sts.TaskMayHave("deploy") || s.sts.TaskMayHave("none") {
		t.Error("a role by its name is not found, or one that is not there is")
	}
}
