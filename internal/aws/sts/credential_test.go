package sts

import (
	"path/filepath"
	"testing"
	"time"

	"neargate/internal/store"
)

func TestExpiredCredentialsAreForgottenAfterADay(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := Open(db, nil, Config{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	issue := func() string {
		c, err := s.issue(t.Context(), "arn", "id", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return *c.AccessKeyId
	}
	first := issue()
	now = now.Add(time.Hour + remember - time.Second)
	issue()
	if _, ok := s.Key(first); !ok {
		t.Error("forgotten within the day")
	}
	now = now.Add(time.Second)
	issue()
	if _, ok := s.Key(first); ok {
		t.Error("still known after a day")
	}
}
