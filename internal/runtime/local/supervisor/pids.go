package supervisor

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// holdPIDs makes the pid namespace that a container joins, where it has no right
// to be the first process of its own.
func (c *container) holdPIDs(h *home) (err error) {
	switch {
	case h.shared != nil:
		c.joins = h.shared
	case c.spec.Init:
		c.own, err = newHolder(containerDir(c.order.Dir, c.spec.Name), c.order.Filter)
		c.joins = c.own
	}
	return err
}

// endPIDs ends what the container has left in a pid namespace that nobody else is
// in.
func (c *container) endPIDs() {
	if c.own != nil {
		c.own.end()
	}
}

// pidsPath is the path of the pid namespace to join, "" for a new one.
func (c *container) pidsPath() string {
	if c.joins == nil {
		return ""
	}
	return c.joins.path()
}

// has reports whether a process, which is not the first of a namespace that the
// container has joined, is the container's.
func (c *container) has(pid int) bool {
	if c.joins == nil {
		return pidNamespace(pid) == c.pids
	}
	groups, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
	path := cgroupOf(c.order, c.spec)
	return bytes.Contains(groups, []byte(path+"\n")) || bytes.Contains(groups, []byte(path+"/"))
}

// sharePIDs makes the pid namespace that all containers share, if they are to.
func (t *task) sharePIDs() error {
	if !t.order.SharePIDs {
		return nil
	}
	h, err := newHolder(t.order.Dir, t.order.Filter)
	if err != nil {
		return err
	}
	t.shared = h
	for _, m := range t.members {
		m.home.shared = h
	}
	return nil
}
