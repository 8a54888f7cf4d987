package secrets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// open opens the secrets in a directory, at a time that the test sets.
func open(t *testing.T, dir string, now *time.Time) (*Secrets, *store.DB) {
	t.Helper()
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := sealed.OpenKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(db, Config{Key: key, Place: model.Place{Region: "us-east-1", Account: "000000000000"}})
	if err != nil {
		t.Fatal(err)
	}
	s.now = func() time.Time { return *now }
	return s, db
}

// Values are not in the state's file, and without the key they are lost: what
// is described stays, and new ones can be kept.
func TestLostKey(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s, db := open(t, dir, &now)
	ctx := t.Context()
	if _, err := s.Create(ctx, Secret{Name: "a"}, &NewValue{Data: []byte("canary-4711")}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	state, err := os.ReadFile(filepath.Join(dir, "state.db"))
	if err != nil || strings.Contains(string(state), "canary-4711") || !strings.Contains(string(state), "secret:a-") {
		t.Errorf("the state has the value, or not the secret: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	s, db = open(t, dir, &now)
	defer db.Close()
	if _, err := s.Value(ctx, "a", "", ""); err == nil || !strings.HasPrefix(err.Error(), "DecryptionFailure: ") {
		t.Errorf("the value without its key: %v", err)
	}
	if _, _, err := s.Put(ctx, "a", NewValue{Data: []byte("new")}); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Value(ctx, "a", "", ""); err != nil || string(v.Data) != "new" {
		t.Errorf("got %q, %v", v.Data, err)
	}
}

// A secret is found until its recovery window has passed, and not a moment
// longer; its name is free then, whether it has been swept or not.
func TestRecoveryWindow(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s, db := open(t, t.TempDir(), &now)
	defer db.Close()
	ctx := t.Context()
	first, err := s.Create(ctx, Secret{Name: "a"}, &NewValue{Data: []byte("one")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete(ctx, first.ARN, 7*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	now = now.Add(7*24*time.Hour - time.Second)
	if _, err := s.Secret("a"); err != nil {
		t.Errorf("within the window: %v", err)
	}
	now = now.Add(time.Second)
	if _, err := s.Secret("a"); err == nil || len(s.List()) != 0 {
		t.Errorf("after the window: %v", s.List())
	}
	if _, err := s.Restore(ctx, "a"); err == nil {
		t.Error("restored after the window")
	}
	second, err := s.Create(ctx, Secret{Name: "a"}, &NewValue{Data: []byte("two")})
	if err != nil || second.ARN == first.ARN {
		t.Errorf("created anew: %+v, %v", second, err)
	}
	if _, err := s.Value(ctx, first.ARN, "", ""); err == nil {
		t.Error("the ARN of the one before is that of the new one")
	}
	if _, err := s.Delete(ctx, "a", time.Hour); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if err := s.sweep(ctx); err != nil || s.table.Len() != 0 {
		t.Errorf("%d records after the sweep, %v", s.table.Len(), err)
	}
}

// A hundred versions are kept; those without a label go first.
func TestVersionsAreBounded(t *testing.T) {
	now := time.Now()
	s, db := open(t, t.TempDir(), &now)
	defer db.Close()
	ctx := t.Context()
	if _, err := s.Create(ctx, Secret{Name: "a"}, &NewValue{Data: []byte("first"), Stages: []string{Current, "kept"}}); err != nil {
		t.Fatal(err)
	}
	for range 150 {
		if _, _, err := s.Put(ctx, "a", NewValue{Data: []byte("more")}); err != nil {
			t.Fatal(err)
		}
	}
	secret, err := s.Secret("a")
	if err != nil || len(secret.Versions) != maxVersions {
		t.Errorf("%d versions, %v", len(secret.Versions), err)
	}
	if v, err := s.Value(ctx, "a", "", "kept"); err != nil || string(v.Data) != "first" {
		t.Errorf("got %q, %v", v.Data, err)
	}
}
