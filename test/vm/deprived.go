package main

import "neargate/test/vm/plan"

// deprivation is a machine on which no task can start.
type deprivation struct {
	named string // in what the server says
	lacks plan.Lacks
}

// deprivations come first, while the kernel has loaded nothing yet. What one of
// them has loaded, those after it have as well.
var deprivations = []deprivation{
	{"overlayfs", plan.Lacks{Modules: true}},
	{"network bridges", plan.Lacks{Modules: true, Loaded: []string{"overlay"}}},
	{"veth", plan.Lacks{Modules: true, Loaded: []string{"bridge"}}},
	{"nf_tables", plan.Lacks{Modules: true, Loaded: []string{"veth"}}},
	{"nft_", plan.Lacks{Modules: true, Loaded: []string{"nf_tables"}}},
	{"memory controller", plan.Lacks{Controller: "memory"}},
	{"pid namespace", plan.Lacks{Settings: map[string]string{"user/max_pid_namespaces": "0"}}},
}

// deprivedSteps run the test of a server's refusal on each of these machines.
func deprivedSteps(test plan.Step) []plan.Step {
	var steps []plan.Step
	for _, d := range deprivations {
		s := test
		s.Name += " (without " + d.named + ")"
		s.Env = []string{"NEARGATE_TEST_LACKS=" + d.named}
		s.Lacks = &d.lacks
		steps = append(steps, s)
	}
	return steps
}
