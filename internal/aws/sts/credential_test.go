package sts

import (
	"path/filepath"
	"testing"
	"time"

	"neargate/internal/aws/wire"
	"neargate/internal/store"
)

type anyKey struct{}

func (anyKey) Secret(accessKey string) (string, bool) { return "", accessKey == "AKIAROOT" }

func TestExpiredCredentialsAreForgottenAfterADay(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := Open(db, nil, Config{Keys: anyKey{}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	issue := func() string {
		c, err := s.issue(t.Context(), wire.Caller{AccessKey: "AKIAROOT"}, credential{ARN: "arn", UserID: "id"}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return c.AccessKey
	}
	first := issue()
	now = now.Add(time.Hour + remember - sweepPause)
	issue()
	if _, ok := s.Key(first); !ok {
		t.Error("forgotten within the day")
	}
	now = now.Add(sweepPause)
	issue()
	if _, ok := s.Key(first); ok {
		t.Error("still known after a day")
	}
}
