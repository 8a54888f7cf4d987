package cgroup

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tree makes files below a directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func v1(dir string) *Layout {
	return &Layout{mounts: map[string]string{
		"cpu": dir + "/cpu,cpuacct", "cpuacct": dir + "/cpu,cpuacct", "memory": dir + "/memory",
	}}
}

func v2(dir string) *Layout {
	return &Layout{unified: true, mounts: map[string]string{"": dir}, dirs: []string{dir}, v2: dir}
}

func TestUsage(t *testing.T) {
	want := Usage{CPU: 1500 * time.Millisecond, Throttled: 20 * time.Millisecond, Memory: 600}
	for _, row := range []struct {
		name   string
		layout func(string) *Layout
		files  map[string]string
	}{
		{"v1", v1, map[string]string{
			"cpu,cpuacct/t/cpu.stat":         "nr_periods 3\nnr_throttled 1\nthrottled_time 20000000\n",
			"cpu,cpuacct/t/cpuacct.usage":    "1500000000\n",
			"memory/t/memory.usage_in_bytes": "1000\n",
			"memory/t/memory.stat":           "cache 7\ninactive_file 1\ntotal_inactive_file 400\n",
		}},
		{"v2", v2, map[string]string{
			"t/cpu.stat":       "usage_usec 1500000\nuser_usec 1\nthrottled_usec 20000\n",
			"t/memory.current": "1000\n",
			"t/memory.stat":    "anon 5\ninactive_file 400\n",
		}},
	} {
		m, err := row.layout(tree(t, row.files)).Meter("t")
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		got, err := m.Read()
		m.Close()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", row.name, err, diff)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, row := range []struct {
		name   string
		layout func(string) *Layout
		files  map[string]string // afterwards
	}{
		{"v1", v1, map[string]string{
			"cpu,cpuacct/t/cpu.cfs_quota_us":       "25000",
			"cpu,cpuacct/t/cpu.cfs_period_us":      "100000",
			"memory/t/memory.limit_in_bytes":       "1048576",
			"memory/t/memory.memsw.limit_in_bytes": "1048576",
		}},
		{"v2", v2, map[string]string{
			"t/cpu.max": "25000 100000", "t/memory.max": "1048576", "t/memory.swap.max": "0",
		}},
	} {
		empty := map[string]string{}
		for name := range row.files {
			empty[name] = ""
		}
		dir := tree(t, empty)
		l := row.layout(dir)
		if err := l.LimitCPU("t", 25*time.Millisecond, 100*time.Millisecond); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if err := l.LimitMemory("t", 1<<20); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		for name, want := range row.files {
			if got, _ := os.ReadFile(filepath.Join(dir, name)); string(got) != want {
				t.Errorf("%s: got %q in %s, want %q", row.name, got, name, want)
			}
		}
	}
}

func TestOOMKills(t *testing.T) {
	dir := tree(t, map[string]string{
		"memory/t/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
		"t/memory.events":             "low 0\noom 1\noom_kill 2\noom_group_kill 0\n",
	})
	for _, l := range []*Layout{v1(dir), v2(dir)} {
		if got, err := l.OOMKills("t"); err != nil || got != 2 {
			t.Errorf("got %d, %v, want 2", got, err)
		}
	}
}
