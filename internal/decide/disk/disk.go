// Package disk decides when what a task has written is measured, when it has
// written too much, and which task ends where the machine's disk runs full.
//
// Measuring means walking through the task's files, so it is done only when the
// file system has lost so much room that the limit may be near. It is pure:
// numbers of bytes and times in, decisions out.
package disk

import (
	"cmp"
	"slices"
	"time"
)

// How often the room on the file system is looked at: quickly while it shrinks.
const (
	calm  = 3 * time.Second
	quick = 250 * time.Millisecond
	// busyRate is how many bytes of room lost between two looks call for quick
	// ones.
	busyRate = 32 << 20
	// remeasure is how long a measurement stands although the room has hardly
	// shrunk: others may have freed what the task took.
	remeasure = 30 * time.Second
	// share bounds measuring to a part of the time.
	share = 20
)

// Watch is the limit of one task with what is known of its use. The zero value
// with a Limit has measured nothing.
type Watch struct {
	Limit int64 // bytes; 0: none
	Used  int64 // as last measured

	measured time.Time
	took     time.Duration
	free     int64 // on the file system when it was measured
	before   int64 // free at the last look
}

// Look takes the room that is free on the file system now. due reports that the
// task is to be measured; next is when to look again.
func (w Watch) Look(free int64, now time.Time) (_ Watch, due bool, next time.Duration) {
	next = calm
	if w.before-free >= busyRate {
		next = quick
	}
	w.before = free
	gone := now.Sub(w.measured)
	switch {
	case w.measured.IsZero():
		w.free, w.measured, w.before = free, now, free // nothing was written before the task began
		return w, false, next
	case gone < 0: // the clock went back
		due = true
	case gone < share*w.took:
	case w.free-free >= (w.Limit-w.Used)/2:
		due = true
	case gone >= remeasure && w.free != free:
		due = true
	}
	return w, due && w.Limit > 0, next
}

// Measured takes the result of a measurement that began at now.
func (w Watch) Measured(used, free int64, now time.Time, took time.Duration) Watch {
	w.Used, w.free, w.measured, w.took = used, free, now, took
	return w
}

// Full reports that the task has written more than it may.
func (w Watch) Full() bool { return w.Limit > 0 && w.Used > w.Limit }

// Reserve is the room that is kept on a file system of so many bytes for the
// server itself: a twentieth, 512 MiB at most.
func Reserve(size int64) int64 { return min(size/20, 512<<20) }

// Use is what one task has of the disk.
type Use struct {
	Task  string
	Bytes int64
	Files int64
}

// ReserveFiles is how many of a file system's files are kept for the server
// itself: a twentieth, 20,000 at most; none where it does not count them.
func ReserveFiles(files int64) int64 { return min(files/20, 20_000) }

// Victim returns the task that ends because the file system runs full: the one
// that has written most. ok is false where none has written a hundredth of the
// reserve: ending it would not help.
func Victim(all []Use, reserve int64) (task string, ok bool) {
	return most(all, reserve, func(u Use) int64 { return u.Bytes })
}

// VictimOfFiles is Victim where the file system runs out of files.
func VictimOfFiles(all []Use, reserve int64) (task string, ok bool) {
	return most(all, reserve, func(u Use) int64 { return u.Files })
}

func most(all []Use, reserve int64, of func(Use) int64) (task string, ok bool) {
	if len(all) == 0 {
		return "", false
	}
	u := slices.MaxFunc(all, func(a, b Use) int { return cmp.Or(cmp.Compare(of(a), of(b)), cmp.Compare(a.Task, b.Task)) })
	return u.Task, of(u) >= max(1, reserve/100)
}
