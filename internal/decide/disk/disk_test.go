package disk

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const gib = 1 << 30

// TestTaskIsEndedInTime: whatever the rate at which a task writes, and whatever
// others take and free meanwhile, it is found full before it has written much
// more than it may.
func TestTaskIsEndedInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(1, 200).Draw(t, "limit GiB") * gib
		rate := rapid.Int64Range(1<<20, 2*gib).Draw(t, "bytes per second")
		others := rapid.Int64Range(-rate/2, rate).Draw(t, "others' bytes per second")
		now := time.Unix(1e9, 0)
		free, written := int64(4000*gib), int64(0)
		w := Watch{Limit: limit}
		for range 1_000_000 {
			var due bool
			var next time.Duration
			w, due, next = w.Look(free, now)
			if due {
				w = w.Measured(written, free, now, 10*time.Millisecond)
			}
			if w.Full() {
				break
			}
			span := next.Seconds()
			now = now.Add(next)
			written += int64(float64(rate) * span)
			free -= int64(float64(rate+others) * span)
			if over := written - limit; over > limit/4+int64(float64(rate)*remeasure.Seconds()) {
				t.Fatalf("%d of %d bytes written and not found full", written, limit)
			}
			if free < 0 {
				return
			}
		}
		if written <= limit {
			t.Fatalf("found full after %d of %d bytes", written, limit)
		}
		// Nobody hides what the task takes: it is found at once.
		if over := written - limit; others >= 0 && over > int64(float64(rate)*calm.Seconds())+1 {
			t.Fatalf("%d bytes more than the limit of %d were written at %d a second", over, limit, rate)
		}
	})
}

// TestIdleTaskIsNotMeasured: walking through the files of a thousand tasks each
// second would cost more than they do.
func TestIdleTaskIsNotMeasured(t *testing.T) {
	w := Watch{Limit: 20 * gib}
	now := time.Unix(1e9, 0)
	for range 1000 {
		var due bool
		if w, due, _ = w.Look(100*gib, now); due {
			t.Fatal("measured although nothing was written")
		}
		now = now.Add(calm)
	}
}

// TestMeasuringIsBounded: a tree that takes long to walk through is not walked
// through all the time.
func TestMeasuringIsBounded(t *testing.T) {
	w := Watch{Limit: 20 * gib}
	now, free := time.Unix(1e9, 0), int64(100*gib)
	measured := 0
	for start := now; now.Sub(start) < time.Hour; {
		var due bool
		var next time.Duration
		if w, due, next = w.Look(free, now); due {
			measured++
			now = now.Add(5 * time.Second)
			w = w.Measured(19*gib, free, now, 5*time.Second)
		}
		now, free = now.Add(next), free-gib/2
	}
	if measured > 40 {
		t.Errorf("measured %d times in an hour, for 5 s each", measured)
	}
}

func TestVictim(t *testing.T) {
	for _, row := range []struct {
		name string
		all  []Use
		want string
	}{
		{"none", nil, ""},
		{"the largest", []Use{{"a", 10, 900}, {"b", 5000, 1}, {"c", 300, 2}}, "b"},
		{"none that would help", []Use{{"a", 9, 9000}, {"b", 3, 1}}, ""},
	} {
		if got, ok := Victim(row.all, 1000); got != row.want && ok || ok != (row.want != "") {
			t.Errorf("%s: got %q, %v, want %q", row.name, got, ok, row.want)
		}
	}
	if got, ok := VictimOfFiles([]Use{{"a", 5000, 1}, {"b", 10, 900}}, 1000); got != "b" || !ok {
		t.Errorf("of files: got %q, %v, want b", got, ok)
	}
}
