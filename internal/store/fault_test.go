package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"neargate/internal/store"
)

// childVariable names the state file for the process that TestKilledWriter kills.
const childVariable = "STORE_TEST_CHILD"

// TestWriterToKill is that process: it moves amounts between two tables for
// ever, and prints the number of each move once that is acknowledged.
func TestWriterToKill(t *testing.T) {
	path := os.Getenv(childVariable)
	if path == "" {
		t.Skip("only within TestKilledWriter")
	}
	a := openAccounts(t, path)
	for n := 1; ; n++ {
		if err := a.move(context.Background(), "k", 1); err != nil {
			t.Fatal(err)
		}
		fmt.Println("moved", n)
	}
}

// Whenever a process that writes is killed, what it was told is on disk, and no
// transaction is there by half.
func TestKilledWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	total := 0
	for range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=TestWriterToKill$")
		cmd.Env = append(os.Environ(), childVariable+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acked, wanted := 0, 1+rand.IntN(60)
		lines := bufio.NewScanner(out)
		for acked < wanted && lines.Scan() {
			if n, ok := strings.CutPrefix(lines.Text(), "moved "); ok {
				acked, _ = strconv.Atoi(n)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it was told until it died
			if n, ok := strings.CutPrefix(lines.Text(), "moved "); ok {
				acked, _ = strconv.Atoi(n)
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		total += acked

		a := openAccounts(t, path)
		l, _ := a.left.Get("k")
		r, _ := a.right.Get("k")
		if l != -r || r < total || r > total+1 {
			t.Errorf("after %d acknowledged moves: %d and %d", total, l, r)
		}
		total = r
		if err := a.db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// On a disk that is full now and then, a write that is refused has changed
// nothing, and one that is acknowledged stays.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "state.db")
	a := openAccounts(t, path)
	want, refused := map[string]int{}, 0
	filler := filepath.Join(dir, "filler")
	for round := range 12 {
		fill(t, filler, round)
		for i := range 20 {
			key := fmt.Sprint("key", rand.IntN(40))
			err := a.db.Update(t.Context(), func(tx *store.Tx) error {
				a.left.In(tx).Put(key, round*100+i)
				a.right.In(tx).Put(key+strings.Repeat("x", rand.IntN(6000)), -(round*100 + i))
				return nil
			})
			if err == nil {
				want[key] = round*100 + i
			} else if refused++; !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			for key := range want {
				if got, _ := a.left.Get(key); got != want[key] {
					t.Fatalf("%s is %d in memory, want %d", key, got, want[key])
				}
			}
		}
		if round%4 == 3 { // another process takes over, on a disk that is full
			if err := a.db.Close(); err != nil {
				t.Fatal(err)
			}
			a = openAccounts(t, path)
			for key := range want {
				if got, _ := a.left.Get(key); got != want[key] {
					t.Fatalf("%s is %d on disk, want %d", key, got, want[key])
				}
			}
			if a.left.Len() != len(want) {
				t.Fatalf("%d records, want %d", a.left.Len(), len(want))
			}
		}
	}
	if err := a.db.Close(); err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 || refused == 0 {
		t.Errorf("%d keys acknowledged and %d writes refused: the disk was never full, or always", len(want), refused)
	}
}

// fill takes all room of the file system, but for some pages in every third
// round.
func fill(t *testing.T, path string, round int) {
	t.Helper()
	if round%3 == 0 {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if _, err := f.Write(make([]byte, pageSize)); err != nil {
			return
		}
	}
	t.Fatal("the file system does not fill")
}
