// Package plan is what the runner outside and the first process inside a
// virtual machine tell each other: which tests to run, and how they went. It
// knows neither the emulator nor the tests.
package plan

// Where the runner puts things on the machine's disk, and the guest finds them.
const (
	File     = "/vm/plan.json"
	Init     = "/vm/init"     // the guest itself
	Source   = "/src"         // the module's root: the directories of tested packages, with their testdata
	Programs = "/vm/programs" // programs that tests build with "go build", by import path
)

// Plan is all that the guest does, in this order.
type Plan struct {
	Steps []Step
}

// Step is one run of a test binary.
type Step struct {
	Name   string   // the package's import path, and what is special about this run
	Binary string   // its path on the machine's disk
	Dir    string   // the working directory: the package's own
	Args   []string // of the binary
	Env    []string // beside the guest's own
	Lacks  *Lacks   // what the machine must do without meanwhile; nil for nothing
}

// Lacks is what a step takes away from the machine.
type Lacks struct {
	Modules    bool              // the kernel loads no module by itself
	Loaded     []string          // modules that are loaded beforehand all the same
	Controller string            // a cgroup controller that is not in the v2 hierarchy
	Settings   map[string]string // below /proc/sys
}

// Frame is one line from the guest to the runner.
type Frame struct {
	Step   string `json:",omitempty"` // the step's name
	Output string `json:",omitempty"` // what its binary printed, one line
	Exit   *int   `json:",omitempty"` // the step has ended, with this exit code
	Done   bool   `json:",omitempty"` // the last frame: every step has run
	Error  string `json:",omitempty"` // the guest itself failed
}
