package supervisor

import (
	"fmt"
	"math"

	"github.com/opencontainers/runc/libcontainer/configs"
	"golang.org/x/sys/unix"
)

// rlimits are the limits that setrlimit(2) knows.
func rlimits() map[string]int {
	return map[string]int{
		"as": unix.RLIMIT_AS, "core": unix.RLIMIT_CORE, "cpu": unix.RLIMIT_CPU,
		"data": unix.RLIMIT_DATA, "fsize": unix.RLIMIT_FSIZE, "locks": unix.RLIMIT_LOCKS,
		"memlock": unix.RLIMIT_MEMLOCK, "msgqueue": unix.RLIMIT_MSGQUEUE, "nice": unix.RLIMIT_NICE,
		"nofile": unix.RLIMIT_NOFILE, "nproc": unix.RLIMIT_NPROC, "rss": unix.RLIMIT_RSS,
		"rtprio": unix.RLIMIT_RTPRIO, "rttime": unix.RLIMIT_RTTIME,
		"sigpending": unix.RLIMIT_SIGPENDING, "stack": unix.RLIMIT_STACK,
	}
}

// openFiles is Fargate's default for nofile, soft and hard.
const openFiles = 65535

// makeRlimits returns a container's limits. A hard limit above our own needs
// CAP_SYS_RESOURCE: it is clamped to ours, as a lower limit is better than a
// task that does not start.
func makeRlimits(wanted []Ulimit) ([]configs.Rlimit, error) {
	limits := map[string]Ulimit{"nofile": {Name: "nofile", Soft: openFiles, Hard: openFiles}}
	for _, u := range wanted {
		limits[u.Name] = u
	}
	known := rlimits()
	var out []configs.Rlimit
	for name, u := range limits {
		kind, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("set ulimit: %q is unknown", name)
		}
		var ours unix.Rlimit
		if err := unix.Getrlimit(kind, &ours); err != nil {
			return nil, fmt.Errorf("read ulimit %s: %w", name, err)
		}
		hard := min(limitValue(u.Hard), ours.Max)
		out = append(out, configs.Rlimit{Type: kind, Hard: hard, Soft: min(limitValue(u.Soft), hard)})
	}
	return out, nil
}

func limitValue(n int64) uint64 {
	if n < 0 {
		return math.MaxUint64
	}
	return uint64(n)
}
