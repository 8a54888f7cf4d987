package task

import "neargate/internal/model"

// learn takes over what the engine says of a running task.
func (m *move) learn(run model.RunState) {
	r := &m.Record
	r.IP, r.MAC, r.Subnet = run.IP, run.MAC, run.Subnet
	r.PullStartedAt, r.PullStoppedAt, r.StartedAt = run.PullStartedAt, run.PullStoppedAt, run.StartedAt
	if r.StartedAt.IsZero() {
		r.StartedAt = m.now
	}
	m.eachContainer(func(c *model.Container) { c.LastStatus = model.TaskRunning })
	m.learnContainers(run)
}

// containersChanged takes over what the engine says of a running task. While the
// start is not answered, that is later news than the answer's.
func (m *move) containersChanged(run model.RunState) {
	switch {
	case m.Ended():
	case m.Starting:
		m.News = &run
	default:
		m.learnContainers(run)
	}
}

// learnContainers takes over what the engine says of the containers, from which
// the task's health follows.
func (m *move) learnContainers(run model.RunState) {
	m.eachContainer(func(c *model.Container) {
		for _, known := range run.Containers {
			if known.Name != c.Name {
				continue
			}
			c.ImageDigest, c.RuntimeID = known.ImageDigest, known.RuntimeID
			c.ExitCode, c.Reason = known.ExitCode, known.Reason
			if known.Health != "" {
				c.Health = known.Health
			}
			if !known.Running && known.ExitCode != nil {
				c.LastStatus = model.TaskStopped
			}
		}
	})
	m.Record.Health = Health(m.Def, m.Record.Containers)
}

// blame notes that the task did not start for a reason of one container's.
func (m *move) blame(name, reason string) {
	m.eachContainer(func(c *model.Container) {
		if c.Name == name {
			c.Reason = reason
		}
	})
}

func (m *move) stopContainers() {
	m.eachContainer(func(c *model.Container) { c.LastStatus = model.TaskStopped })
}

// eachContainer changes the containers in a fresh list, because the old one is
// another state's.
func (m *move) eachContainer(change func(*model.Container)) {
	all := make([]model.Container, len(m.Record.Containers))
	for i, c := range m.Record.Containers {
		change(&c)
		all[i] = c
	}
	m.Record.Containers = all
	m.touch()
}
