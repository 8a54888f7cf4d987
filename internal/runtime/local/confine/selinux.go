package confine

import (
	"errors"
	"fmt"

	"github.com/opencontainers/selinux/go-selinux"
	"github.com/opencontainers/selinux/go-selinux/label"
)

// Labels are what SELinux knows a task by. Both have the same pair of
// categories, which no other task of this server has. The zero value is none.
type Labels struct {
	Process string // of its processes
	Mount   string // of its files
}

// Reasons why tasks cannot have labels.
var (
	ErrNoSELinux = errors.New("the kernel has no SELinux, or it is off")
	ErrNoPolicy  = errors.New("SELinux's policy has no labels for containers")
)

// SELinuxEnabled reports whether the kernel has SELinux and it is on.
func SELinuxEnabled() bool { return selinux.GetEnabled() }

// NewLabels returns labels that no task has.
func NewLabels() (Labels, error) {
	if !selinux.GetEnabled() {
		return Labels{}, ErrNoSELinux
	}
	process, mount, err := label.InitLabels(nil)
	if err != nil {
		return Labels{}, fmt.Errorf("choose SELinux labels: %w", err)
	}
	l := Labels{process, mount}
	if process == "" || mount == "" {
		return Labels{}, ErrNoPolicy
	}
	return l, nil
}

// Hold keeps others from getting the categories of a task that has run before
// this process began.
func (l Labels) Hold() { selinux.ReserveLabel(l.Process) }

// Release lets others have the categories.
func (l Labels) Release() { selinux.ReleaseLabel(l.Process) }

// MountOptions returns the options of a mount that gives every file on it the
// label of the task's.
func (l Labels) MountOptions(options string) string { return label.FormatMountLabel(options, l.Mount) }

// Mark gives a file the label of the task's.
func (l Labels) Mark(file string) error {
	if err := label.SetFileLabel(file, l.Mount); err != nil {
		return fmt.Errorf("label %s: %w", file, err)
	}
	return nil
}
