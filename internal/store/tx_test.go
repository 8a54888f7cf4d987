package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"neargate/internal/store"
)

// accounts are two tables between which transactions move amounts.
type accounts struct {
	db          *store.DB
	left, right *store.Table[int]
}

func openAccounts(t *testing.T, path string) accounts {
	t.Helper()
	db, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	a := accounts{db: db}
	if a.left, err = store.NewTable[int](db, "left"); err != nil {
		t.Fatal(err)
	}
	if a.right, err = store.NewTable[int](db, "right"); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a accounts) move(ctx context.Context, key string, n int) error {
	return a.db.Update(ctx, func(tx *store.Tx) error {
		l, _ := a.left.In(tx).Get(key)
		r, _ := a.right.In(tx).Get(key)
		a.left.In(tx).Put(key, l-n)
		a.right.In(tx).Put(key, r+n)
		return nil
	})
}

func TestTransactionsAreSerial(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	a := openAccounts(t, path)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 25 {
				if err := a.move(t.Context(), fmt.Sprint("k", (w+i)%3), 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := a.db.Close(); err != nil {
		t.Fatal(err)
	}
	a = openAccounts(t, path)
	defer a.db.Close()
	left, right := 0, 0
	for i := range 3 {
		l, _ := a.left.Get(fmt.Sprint("k", i))
		r, _ := a.right.Get(fmt.Sprint("k", i))
		left, right = left+l, right+r
	}
	if left != -200 || right != 200 {
		t.Errorf("after 200 moves of 1: %d and %d", left, right)
	}
}

func TestTransactionThatFailsChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	a := openAccounts(t, path)
	if err := a.move(t.Context(), "k", 5); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err := a.db.Update(t.Context(), func(tx *store.Tx) error {
		a.left.In(tx).Put("k", 99)
		a.right.In(tx).Delete("k")
		return boom
	})
	if err != boom { //nolint:errorlint // the function's own error, as it is
		t.Errorf("Update: %v, want the function's own error", err)
	}
	check := func() {
		t.Helper()
		l, _ := a.left.Get("k")
		r, ok := a.right.Get("k")
		if l != -5 || r != 5 || !ok {
			t.Errorf("records are %d and %d (%v), want -5 and 5", l, r, ok)
		}
	}
	check()
	if err := a.db.Close(); err != nil {
		t.Fatal(err)
	}
	a = openAccounts(t, path)
	defer a.db.Close()
	check()
}

func TestRecordThatCannotBeEncodedFailsTheTransaction(t *testing.T) {
	db, tab := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer db.Close()
	odd, err := store.NewTable[func()](db, "odd")
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		tab.In(tx).Put("k", thing{"kept", 1})
		odd.In(tx).Put("k", func() {})
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), `odd "k"`) {
		t.Errorf("Update: %v, want an error that names the record", err)
	}
	if _, ok := tab.Get("k"); ok {
		t.Error("half of the transaction was kept")
	}
}

func TestPanicReachesItsCallerOnly(t *testing.T) {
	a := openAccounts(t, filepath.Join(t.TempDir(), "state.db"))
	defer a.db.Close()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			defer func() {
				if p := recover(); (p != nil) != (i%2 == 0) {
					t.Errorf("caller %d recovered %v", i, p)
				}
			}()
			err := a.db.Update(t.Context(), func(tx *store.Tx) error {
				a.left.In(tx).Put(fmt.Sprint(i), i)
				if i%2 == 0 {
					panic("boom")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := a.left.Len(); n != 10 {
		t.Errorf("%d records, want those of the 10 that did not panic", n)
	}
}

func TestCallerThatGivesUpChangesNothing(t *testing.T) {
	a := openAccounts(t, filepath.Join(t.TempDir(), "state.db"))
	defer a.db.Close()
	inside, goOn := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := a.db.Update(t.Context(), func(*store.Tx) error {
			close(inside)
			<-goOn
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-inside
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	wg.Go(func() { cancel(gone) })
	if err := a.move(ctx, "k", 1); !errors.Is(err, gone) {
		t.Errorf("Update: %v, want the cause of the context's end", err)
	}
	close(goOn)
	wg.Wait()
	if err := a.move(t.Context(), "other", 1); err != nil {
		t.Error(err)
	}
	if _, ok := a.left.Get("k"); ok {
		t.Error("the change of a caller that gave up was made")
	}
}

// Whatever a sequence of transactions does to two tables, they read within
// and after it, and after reopening, as plain maps do.
func TestTransactionsAgainstMaps(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n), "state.db")
		a := openAccounts(t, path)
		defer func() { _ = a.db.Close() }()
		want := [2]map[string]int{{}, {}}
		same := func(tables ...interface{ List(prefix string) []int }) {
			for i, tab := range tables {
				for _, prefix := range []string{"", "a", "b/"} {
					if diff := cmp.Diff(sorted(want[i], prefix), tab.List(prefix)); diff != "" {
						rt.Fatalf("table %d, prefix %q (-want +got):\n%s", i, prefix, diff)
					}
				}
			}
		}
		for range rapid.IntRange(1, 6).Draw(rt, "transactions") {
			before := [2]map[string]int{maps.Clone(want[0]), maps.Clone(want[1])}
			fail := rapid.Bool().Draw(rt, "fails")
			err := a.db.Update(t.Context(), func(tx *store.Tx) error {
				in := [2]store.Records[int]{a.left.In(tx), a.right.In(tx)}
				for range rapid.IntRange(0, 6).Draw(rt, "changes") {
					which := rapid.IntRange(0, 1).Draw(rt, "table")
					key := rapid.SampledFrom([]string{"a", "ab", "b", "b/1", "b/2", "c"}).Draw(rt, "key")
					if rapid.Bool().Draw(rt, "delete") {
						_, had := want[which][key]
						if in[which].Delete(key) != had {
							rt.Fatalf("Delete(%s) differs from the map", key)
						}
						delete(want[which], key)
					} else {
						v := rapid.IntRange(0, 3).Draw(rt, "value")
						in[which].Put(key, v)
						want[which][key] = v
					}
				}
				same(in[0], in[1])
				if fail {
					return errors.New("refused")
				}
				return nil
			})
			if (err != nil) != fail {
				rt.Fatalf("Update: %v", err)
			}
			if fail {
				want = before
			}
			same(a.left, a.right)
		}
		if err := a.db.Close(); err != nil {
			rt.Fatal(err)
		}
		a = openAccounts(t, path)
		same(a.left, a.right)
	})
}

// sorted returns the values of keys with the prefix, in key order.
func sorted(m map[string]int, prefix string) []int {
	var out []int
	for _, key := range []string{"a", "ab", "b", "b/1", "b/2", "c"} {
		if v, ok := m[key]; ok && strings.HasPrefix(key, prefix) {
			out = append(out, v)
		}
	}
	return out
}
