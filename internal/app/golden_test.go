package app

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"neargate/internal/identity"
	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/runtime/fake"
)

// golden is the place of the server that wrote testdata/v1: the first format,
// with a record of every kind in it.
var golden = model.Place{Region: "us-east-1", Account: "000000000000"}

// fakes open engines without containers.
type fakes struct{ engine *fake.Engine }

func (fakes) Check() error { return nil }

func (f fakes) Open(context.Context, EngineParts) (runtime.Engine, error) { return f.engine, nil }

func (fakes) Cleanup(context.Context, string) error { return nil }

// unpack writes a file of testdata into dir.
func unpack(t *testing.T, name, dir string) string {
	t.Helper()
	in, err := os.Open(filepath.Join("testdata", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.Base(name))
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// records returns how many records each bucket of a bbolt file has.
func records(t *testing.T, path string) map[string]int {
	t.Helper()
	b, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	n := map[string]int{}
	err = b.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			n[string(name)] = b.Stats().KeyN
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Every part opens what the first version wrote, and knows every field of
// every record. When this test fails for a field that was renamed or taken
// away, users lose what it held: write a migration (docs/state.md).
func TestStateOfTheFirstVersionOpens(t *testing.T) {
	dir := t.TempDir()
	path := unpack(t, "v1/state.db", dir)
	unpack(t, "v1/metrics", dir)
	before := records(t, path)

	s := schema(golden)
	s.Strict = true
	db, err := s.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	after := map[string]int{}
	for bucket, n := range records(t, path) {
		after[bucket[strings.LastIndexByte(bucket, '/')+1:]] += n
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if before[name] == 0 {
			t.Errorf("the golden file has no record of table %s: nothing is proved of it", name)
		}
		if after[name] < before[name] {
			t.Errorf("table %s had %d records, has %d", name, before[name], after[name])
		}
	}
	if kept := records(t, path+".before-1"); !maps.Equal(kept, before) {
		t.Errorf("the copy from before the migration has %v, want %v", kept, before)
	}

	cfg := Default()
	cfg.Data, cfg.Place, cfg.Engine = dir, golden, fakes{fake.New(fake.Config{})}
	if db, err = s.Open(path); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	keys, err := identity.Open(filepath.Join(dir, keysFile), time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newParts(t.Context(), cfg, db, reach{keys, "http://127.0.0.1:5350", "127.0.0.1:5350", netip.AddrPort{}, false, known{}}, log)
	if err != nil {
		t.Fatal(err)
	}
	checkEndpoints(t, p.faces)
	if svc, ok := p.ecs.Service("shop", "web"); !ok || svc.DesiredCount == 0 || svc.TaskDefinitionARN == "" {
		t.Errorf("service web is %+v, %v", svc, ok)
	}
	if err := p.close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What is kept under an account or region is kept under its name in the file.
func TestStateIsOfItsAccountAndRegion(t *testing.T) {
	dir := t.TempDir()
	path := unpack(t, "v1/state.db", dir)
	db, err := schema(golden).Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	n := records(t, path)
	if n["000000000000/us-east-1/services"] == 0 || n["000000000000/-/iam_roles"] == 0 {
		t.Errorf("records by bucket: %v", n)
	}
	b, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	err = b.View(func(tx *bolt.Tx) error {
		var header struct {
			Format int
			Tables map[string]int
		}
		if err := json.Unmarshal(tx.Bucket([]byte("meta")).Get([]byte("header")), &header); err != nil {
			return err
		}
		if header.Format != 2 || len(header.Tables) != len(schema(golden).Tables) {
			t.Errorf("header: %+v", header)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
