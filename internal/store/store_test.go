package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"neargate/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type thing struct {
	Name string
	N    int
}

func open(t *testing.T, path string) (*store.DB, *store.Table[thing]) {
	t.Helper()
	db, err := store.Open(path)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	tab, err := store.NewTable[thing](db, "things")
	if err != nil {
		t.Fatalf("NewTable: %v", err)
	}
	return db, tab
}

func TestTableKeepsRecordsOverReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "state.db")
	db, tab := open(t, path)
	for i, k := range []string{"b/2", "a/1", "b/1", "c"} {
		if err := tab.Put(t.Context(), k, thing{k, i}); err != nil {
			t.Fatal(err)
		}
	}
	if ok, err := tab.Delete(t.Context(), "c"); !ok || err != nil {
		t.Fatalf("Delete = %v, %v", ok, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db, tab = open(t, path)
	defer db.Close()
	want := []thing{{"b/1", 2}, {"b/2", 0}}
	if diff := cmp.Diff(want, tab.List("b/")); diff != "" {
		t.Errorf("List(b/) after reopening (-want +got):\n%s", diff)
	}
	if got := tab.Len(); got != 3 {
		t.Errorf("Len = %d, want 3", got)
	}
	if _, ok := tab.Get("c"); ok {
		t.Error("a deleted record came back")
	}
}

func TestOpenRefusesAFileInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, _ := open(t, path)
	defer db.Close()
	if _, err := store.Open(path); !errors.Is(err, store.ErrLocked) {
		t.Errorf("second Open: %v, want ErrLocked", err)
	}
}

func TestUpdateIsAtomicPerKey(t *testing.T) {
	db, tab := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer db.Close()
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 20 {
				key := fmt.Sprint("k", (w+i)%3)
				_, err := tab.Update(t.Context(), key, func(cur thing, _ bool) (thing, error) {
					cur.N++
					return cur, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, v := range tab.List("") {
		sum += v.N
	}
	if sum != 320 {
		t.Errorf("sum of increments = %d, want 320", sum)
	}
}

func TestUpdateThatFailsChangesNothing(t *testing.T) {
	db, tab := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer db.Close()
	if err := tab.Put(t.Context(), "k", thing{"kept", 1}); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	_, err := tab.Update(t.Context(), "k", func(cur thing, exists bool) (thing, error) {
		if !exists || cur.Name != "kept" {
			t.Errorf("change saw %+v, %v", cur, exists)
		}
		return thing{"lost", 2}, boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("Update error = %v, want the change's own", err)
	}
	if got, _ := tab.Get("k"); got != (thing{"kept", 1}) {
		t.Errorf("record = %+v, want it unchanged", got)
	}
}
