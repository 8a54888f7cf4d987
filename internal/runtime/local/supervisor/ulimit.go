package supervisor

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

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

// makeRlimits returns a container's limits. What neither we may set nor the
// kernel takes is lowered to the most that can be: common definitions ask for
// more open files than some machines have, and run well with fewer.
func makeRlimits(wanted []Ulimit) ([]configs.Rlimit, error) {
	limits := map[string]Ulimit{"nofile": {Name: "nofile", Soft: openFiles, Hard: openFiles}}
	for _, u := range wanted {
		limits[u.Name] = u
	}
	raises, err := mayRaise()
	if err != nil {
		return nil, err
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
		most := ours.Max
		if raises {
			most = kernelMost(kind)
		}
		hard := min(limitValue(u.Hard), most)
		out = append(out, configs.Rlimit{Type: kind, Hard: hard, Soft: min(limitValue(u.Soft), hard)})
	}
	return out, nil
}

// pinMemlock writes this process's limit of locked memory into a container's
// limits, where its definition sets none. Setting device rules on cgroup v2 has
// libcontainer take that limit off this process, and whatever it starts later
// (another container, a health check, a command) would have none.
func pinMemlock(c *Container) error {
	if slices.ContainsFunc(c.Ulimits, func(u Ulimit) bool { return u.Name == "memlock" }) {
		return nil
	}
	var ours unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &ours); err != nil {
		return fmt.Errorf("read ulimit memlock: %w", err)
	}
	c.Ulimits = append(c.Ulimits, Ulimit{Name: "memlock", Soft: int64(ours.Cur), Hard: int64(ours.Max)}) // unlimited is -1 in both
	return nil
}

// kernelMost is the highest hard limit that the kernel takes from anybody: it
// bounds open files by fs.nr_open, and nothing else.
func kernelMost(kind int) uint64 {
	if kind != unix.RLIMIT_NOFILE {
		return math.MaxUint64
	}
	data, err := os.ReadFile("/proc/sys/fs/nr_open")
	if err != nil {
		return math.MaxUint64 // the kernel will say
	}
	most, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		return math.MaxUint64
	}
	return most
}

// mayRaise reports whether this process may set hard limits above its own.
func mayRaise() (bool, error) {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		return false, fmt.Errorf("read own capabilities: %w", err)
	}
	return data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0, nil
}

func limitValue(n int64) uint64 {
	if n < 0 {
		return math.MaxUint64
	}
	return uint64(n)
}
