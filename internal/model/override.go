package model

import "slices"

// ContainerOverride is what RunTask changes in one container's definition.
type ContainerOverride struct {
	Name                string
	Command             []string   // nil: the definition's
	Environment         []KeyValue // added; the same name replaces
	EnvironmentFiles    []string   // nil: the definition's
	CPUUnits, MemoryMiB int        // 0: the definition's
	// MemoryReservationMiB is as in a definition; 0: the definition's.
	MemoryReservationMiB int
}

// Override returns the definition as an override of its container changes it.
func (c ContainerDefinition) Override(o ContainerOverride) ContainerDefinition {
	if o.Command != nil {
		c.Command = o.Command
	}
	if o.CPUUnits > 0 {
		c.CPUUnits = o.CPUUnits
	}
	if o.MemoryMiB > 0 {
		c.MemoryMiB = o.MemoryMiB
	}
	if o.MemoryReservationMiB > 0 {
		c.MemoryReservationMiB = o.MemoryReservationMiB
	}
	if o.EnvironmentFiles != nil {
		c.EnvironmentFiles = o.EnvironmentFiles
	}
	c.Environment = slices.Clone(c.Environment)
	for _, kv := range o.Environment {
		if i := slices.IndexFunc(c.Environment, func(e KeyValue) bool { return e.Name == kv.Name }); i >= 0 {
			c.Environment[i] = kv
		} else {
			c.Environment = append(c.Environment, kv)
		}
	}
	return c
}
