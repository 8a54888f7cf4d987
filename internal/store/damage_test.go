package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"neargate/internal/store"
)

const pageSize = 4096

// sample makes a state file of several pages and returns its content.
func sample(t *testing.T, dir string) []byte {
	t.Helper()
	path := filepath.Join(dir, "sample.db")
	a := openAccounts(t, path)
	for round := range 3 {
		err := a.db.Update(t.Context(), func(tx *store.Tx) error {
			for i := range 400 {
				a.left.In(tx).Put(fmt.Sprintf("key/%06d", i), i*round)
				a.right.In(tx).Put(fmt.Sprintf("other/%d", i*7919), i)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := a.db.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// readAll opens a state file, reads every table and writes a record.
func readAll(t *testing.T, path string) error {
	t.Helper()
	db, err := store.Open(path)
	if err != nil {
		return err
	}
	left, err := store.NewTable[int](db, "left")
	if err == nil {
		_, err = store.NewTable[int](db, "right")
	}
	if err == nil {
		err = left.Put(t.Context(), "new", 1)
	}
	return errors.Join(err, db.Close())
}

// Whatever happens to a state file, reading it is an error and never a panic
// or a fault. Damage to pages that nobody uses may go unseen.
func TestDamageIsAnError(t *testing.T) {
	dir := t.TempDir()
	whole := sample(t, dir)
	path := filepath.Join(dir, "state.db")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	noise := func(b []byte) {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	}
	try := func(name string, mustFail bool, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		err := readAll(t, path)
		if _, ok := errors.AsType[*store.Damaged](err); !ok && (err != nil || mustFail) {
			t.Errorf("%s: %v, want *Damaged", name, err)
		}
	}
	try("whole", false, whole)
	try("empty", true, nil)
	for _, n := range []int{100, pageSize, 2 * pageSize, 3*pageSize + 17, len(whole) / 4} {
		try(fmt.Sprintf("cut to %d bytes", n), true, whole[:n])
	}
	for page := range len(whole) / pageSize {
		for kind, spoil := range map[string]func(p []byte){
			"noise":       noise,
			"zeros":       func(p []byte) { clear(p) },
			"odd header":  func(p []byte) { noise(p[8:16]) },
			"odd content": func(p []byte) { noise(p[16:64]) },
		} {
			content := append([]byte(nil), whole...)
			spoil(content[page*pageSize:][:pageSize])
			try(fmt.Sprintf("page %d, %s", page, kind), false, content)
		}
	}
	both := append([]byte(nil), whole...)
	noise(both[16:80])
	noise(both[pageSize+16 : pageSize+80])
	try("both headers", true, both)
	garbage := make([]byte, 100_000)
	noise(garbage)
	try("garbage", true, garbage)
}
