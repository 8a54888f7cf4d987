package network

import (
	"context"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkConnect is what the network costs the start and the end of a task
// beside 200 others.
func BenchmarkConnect(b *testing.B) {
	if probeTables() != nil || HomeName("") == "" {
		b.Skip("needs nf_tables")
	}
	n, err := Open(Config{ID: "dd0001"})
	if err != nil {
		b.Skip("needs a network namespace of its own: ", err)
	}
	defer func() { _ = Remove(context.Background(), "dd0001") }()
	for range 200 {
		a, _, err := n.Take()
		if err != nil {
			b.Fatal(err)
		}
		if err := n.Admit(Admitted{Address: a}); err != nil {
			b.Fatal(err)
		}
	}
	if err := n.SetPolicy(groups()); err != nil {
		b.Fatal(err)
	}
	runtime.LockOSThread() // the thread ends with the benchmark
	home := unix.Gettid()
	for b.Loop() {
		a, _, err := n.Take()
		if err != nil {
			b.Fatal(err)
		}
		if err := n.Connect(a, nil, home, "task0"); err != nil {
			b.Fatal(err)
		}
		if err := n.Disconnect(a); err != nil {
			b.Fatal(err)
		}
		if err := n.Release(a); err != nil {
			b.Fatal(err)
		}
	}
}
