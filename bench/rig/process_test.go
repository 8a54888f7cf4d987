package rig

import (
	"os"
	"testing"
	"time"
)

func TestProcess(t *testing.T) {
	before, err := CPUTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 64<<20)
	for began := time.Now(); time.Since(began) < 200*time.Millisecond; {
		for i := range block {
			block[i]++
		}
	}
	after, err := CPUTime(os.Getpid())
	if err != nil || after <= before {
		t.Errorf("CPU time went from %v to %v, %v", before, after, err)
	}
	got, err := ResidentBytes(os.Getpid())
	if err != nil || got < int64(len(block)) {
		t.Errorf("resident %d, %v, want at least the %d in use", got, err, len(block))
	}
	if _, err := CPUTime(1 << 30); err == nil {
		t.Error("a process that is not there has CPU time")
	}
}
