package store_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"neargate/internal/store"
)

// writeV1 makes a file of format 1: a bucket a table, records of version 1.
func writeV1(t *testing.T, path string, records map[string]string) {
	t.Helper()
	b, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Update(func(tx *bolt.Tx) error {
		things, err := tx.CreateBucket([]byte("things"))
		if err != nil {
			return err
		}
		for k, v := range records {
			if err := things.Put([]byte(k), []byte(v)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
}

// schemaOf returns a schema whose table "things" has the migrations.
func schemaOf(migrations ...store.Migration) store.Schema {
	return store.Schema{
		Home:   store.Scope{Account: "111111111111", Region: "eu-west-1"},
		Tables: []store.TableSpec{{Name: "things", Migrations: migrations}},
	}
}

// title renames the field Name to Title.
func title(old json.RawMessage) (json.RawMessage, error) {
	var was thing
	if err := json.Unmarshal(old, &was); err != nil {
		return nil, err
	}
	return json.Marshal(titled{was.Name, was.N})
}

type titled struct {
	Title string
	N     int
}

// double doubles N.
func double(old json.RawMessage) (json.RawMessage, error) {
	var was titled
	if err := json.Unmarshal(old, &was); err != nil {
		return nil, err
	}
	was.N *= 2
	return json.Marshal(was)
}

// list opens the file, reads "things" and closes it.
func list[T any](t *testing.T, s store.Schema, path string) ([]T, error) {
	t.Helper()
	db, err := s.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	tab, err := store.NewTable[T](db, "things")
	if err != nil {
		return nil, err
	}
	return tab.List(""), nil
}

func TestRecordsAreMigratedStepByStep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	writeV1(t, path, map[string]string{"a": `{"v":1,"value":{"Name":"x","N":3}}`, "b": `{"v":1,"value":{"Name":"y","N":4}}`})
	for _, step := range []struct {
		schema store.Schema
		want   []titled
	}{
		{schemaOf(title), []titled{{"x", 3}, {"y", 4}}},
		{schemaOf(title, double), []titled{{"x", 6}, {"y", 8}}},
		{schemaOf(title, double), []titled{{"x", 6}, {"y", 8}}}, // once
	} {
		got, err := list[titled](t, step.schema, path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	}
	old, err := list[thing](t, schemaOf(), path+".before-1")
	if err != nil || len(old) != 2 || old[0] != (thing{"x", 3}) {
		t.Errorf("the copy from before holds %v, %v", old, err)
	}
}

func TestMigrationThatFailsLeavesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	writeV1(t, path, map[string]string{"a": `{"v":1,"value":{"Name":"x","N":3}}`, "b": `{"v":1,"value":7}`})
	if got, err := list[titled](t, schemaOf(title), path); err == nil {
		t.Fatalf("opened: %v", got)
	}
	got, err := list[any](t, schemaOf(), path)
	if err != nil || len(got) != 2 {
		t.Errorf("the file has %v, %v, want both records as they were", got, err)
	}
}

func TestNewerStateIsRefusedUntouched(t *testing.T) {
	for name, newer := range map[string]store.Schema{
		"a newer version of a table": schemaOf(title, double),
		"a table that is unknown": {
			Home: schemaOf().Home, Tables: []store.TableSpec{{Name: "things"}, {Name: "more"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			if _, err := list[titled](t, newer, path); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := list[thing](t, schemaOf(), path); !errors.Is(err, store.ErrNewer) {
				t.Errorf("opening: %v, want ErrNewer", err)
			}
			after, err := os.ReadFile(path)
			if err != nil || string(after) != string(before) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func TestStateOfAnotherRegionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	writeV1(t, path, map[string]string{"a": `{"v":1,"value":{"Name":"x","N":3}}`})
	if _, err := list[thing](t, schemaOf(), path); err != nil {
		t.Fatal(err)
	}
	other := schemaOf()
	other.Home.Region = "us-east-1"
	if _, err := list[thing](t, other, path); !errors.Is(err, store.ErrElsewhere) {
		t.Errorf("opening in another region: %v, want ErrElsewhere", err)
	}
}

func TestStrictSchemaRefusesUnknownFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	writeV1(t, path, map[string]string{"a": `{"v":1,"value":{"Name":"x","N":3,"Extra":1}}`})
	if _, err := list[thing](t, schemaOf(), path); err != nil {
		t.Error(err)
	}
	strict := schemaOf()
	strict.Strict = true
	if got, err := list[thing](t, strict, path); err == nil {
		t.Errorf("a strict schema read %v", got)
	}
}
