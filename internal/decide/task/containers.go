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

func (m *move) containersChanged(run model.RunState, health string) {
	if m.Ended() {
		return
	}
	m.learnContainers(run)
	m.Record.Health = health
}

// learnContainers takes over what the engine says of the containers.
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
