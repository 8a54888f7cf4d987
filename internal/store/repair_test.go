package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"neargate/internal/store"
)

func twoTables() store.Schema {
	return store.Schema{Tables: []store.TableSpec{{Name: "left"}, {Name: "right"}}}
}

// inventory opens a state file and counts the records of its two tables.
func inventory(t *testing.T, path string) (left, right int) {
	t.Helper()
	db, err := twoTables().Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := store.NewTable[int](db, "left")
	if err != nil {
		t.Fatal(err)
	}
	r, err := store.NewTable[int](db, "right")
	if err != nil {
		t.Fatal(err)
	}
	return l.Len(), r.Len()
}

// stateWithCopy makes a state of which the copy has 200 and 200 records, and the
// file 300 and 300.
func stateWithCopy(t *testing.T, path string) {
	t.Helper()
	db, err := twoTables().Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	left, err := store.NewTable[int](db, "left")
	if err != nil {
		t.Fatal(err)
	}
	right, err := store.NewTable[int](db, "right")
	if err != nil {
		t.Fatal(err)
	}
	write := func(from, to int) {
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			for i := from; i < to; i++ {
				left.In(tx).Put(fmt.Sprintf("left/%06d", i), i)
				right.In(tx).Put(fmt.Sprintf("right/%06d", i), i)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write(0, 200)
	if err := db.KeepCopy(); err != nil {
		t.Fatal(err)
	}
	write(200, 300)
}

// Whatever page of a state file is spoilt, repairing it leaves a file that opens,
// with no fewer records of a table than its copy had, and no more than there were.
func TestRepairOfEveryPage(t *testing.T) {
	source := filepath.Join(t.TempDir(), "state.db")
	stateWithCopy(t, source)
	whole, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	spare, err := os.ReadFile(store.CopyOf(source))
	if err != nil {
		t.Fatal(err)
	}
	damages := map[string][]byte{"empty": nil, "cut": whole[:len(whole)/3], "text": []byte("not a state file")}
	for page := range len(whole) / pageSize {
		for kind, b := range map[string]byte{"zeros": 0, "ones": 0xff} {
			content := append([]byte(nil), whole...)
			for i := range content[page*pageSize:][:pageSize] {
				content[page*pageSize+i] = b
			}
			damages[fmt.Sprintf("page %d of %s", page, kind)] = content
		}
	}
	path := filepath.Join(t.TempDir(), "state.db")
	repaired := 0
	for name, content := range damages {
		if err := errors.Join(os.WriteFile(path, content, 0o600), os.WriteFile(store.CopyOf(path), spare, 0o600)); err != nil {
			t.Fatal(err)
		}
		r, err := twoTables().Repair(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Aside != "" {
			repaired++
			if kept, err := os.ReadFile(r.Aside); err != nil || string(kept) != string(content) {
				t.Errorf("%s: the damaged file was not kept (%v)", name, err)
			}
		}
		left, right := inventory(t, path)
		if left < 200 || left > 300 || right < 200 || right > 300 {
			t.Errorf("%s: %d and %d records after %+v, want 200 to 300 of each", name, left, right, r)
		}
	}
	if repaired < 10 {
		t.Errorf("only %d of %d damages called for a repair", repaired, len(damages))
	}
}

func TestRepairWithoutAnythingLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := twoTables().Repair(path); !errors.Is(err, store.ErrNothingLeft) {
		t.Errorf("Repair: %v, want ErrNothingLeft", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("the file was touched: %v", err)
	}
}

func TestRepairLeavesAFileInUseAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	stateWithCopy(t, path)
	db, err := twoTables().Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := twoTables().Repair(path); !errors.Is(err, store.ErrLocked) {
		t.Errorf("Repair: %v, want ErrLocked", err)
	}
}
