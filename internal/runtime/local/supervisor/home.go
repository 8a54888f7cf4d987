package supervisor

import (
	"path/filepath"
	"time"

	"neargate/internal/runtime/local/logfile"
)

// home is what a container keeps from one start to the next: its root file system
// and its output.
type home struct {
	order *Order
	spec  *Container
	root  string
	log   *logfile.Writer

	shared *holder // of the pid namespace that all containers share; nil: they share none
}

func makeHome(o *Order, spec *Container) (*home, error) {
	root, err := mountRootfs(o, spec)
	if err != nil {
		return nil, err
	}
	log, err := logfile.Create(LogDir(o.Dir, spec.Name), spec.LogBuffer, time.Now)
	if err != nil {
		return nil, err
	}
	return &home{order: o, spec: spec, root: root, log: log}, nil
}

// LogDir is where the output of a container lies, as package logfile keeps it.
func LogDir(taskDir, name string) string { return filepath.Join(taskDir, "logs", name) }
