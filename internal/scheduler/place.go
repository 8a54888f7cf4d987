package scheduler

import (
	"fmt"
	"slices"
	"strings"

	"neargate/internal/decide/placement"
	"neargate/internal/model"
)

// claim takes room for as many of n tasks of a definition as can be placed, and
// returns their number and what keeps the others out.
func (s *Scheduler) claim(n int, each placement.Size, def model.TaskDefinition) (int, placement.Shortage) {
	if a := def.Architecture; a != "" && !slices.Contains(s.engine.Architectures(), a) {
		return 0, placement.NoArchitecture
	}
	return s.capacity.claim(n, each)
}

// missing tells a person why a task of a definition is not placed.
func (s *Scheduler) missing(each placement.Size, def model.TaskDefinition, short placement.Shortage) string {
	if short != placement.NoArchitecture {
		return s.capacity.missing(each, short)
	}
	var have []string
	for _, a := range s.engine.Architectures() {
		have = append(have, a.ECS())
	}
	return fmt.Sprintf("the task definition's cpuArchitecture is %s, and this machine runs %s; programs for others run where binfmt_misc has an emulator for them, with its flag F",
		def.Architecture.ECS(), strings.Join(have, ", "))
}

// shortText is what a service's event says of what keeps its tasks out; "" of
// nothing.
func shortText(short placement.Shortage, def model.TaskDefinition) string {
	if short == placement.NoArchitecture {
		return fmt.Sprintf(noArchitectureText, attributeOf(def.Architecture))
	}
	return [...]string{
		placement.Enough: "", placement.TooManyTasks: tooManyText, placement.NoMemory: noMemoryText, placement.NoCPU: noCPUText,
	}[short]
}

// attributeOf is the value of the attribute ecs.cpu-architecture.
func attributeOf(a model.Architecture) string { return strings.ToLower(a.ECS()) }
