package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"neargate/internal/runtime/local/confine"
)

// profileMark has the text of the AppArmor profile that is loaded.
const profileMark = runDir + "/apparmor"

// profileLimit bounds the loading of the profile, which takes some milliseconds.
const profileLimit = 10 * time.Second

// openProfile loads the AppArmor profile of tasks where the kernel has AppArmor,
// with the machine locked. Where it cannot be loaded, tasks run without one.
func (e *Engine) openProfile(ctx context.Context) {
	a := confine.New(profileMark)
	if !a.Enabled() {
		return
	}
	err := loadProfile(ctx, a)
	if err == nil {
		e.apparmor = a
		return
	}
	hint := "run the server unconfined; dmesg has what AppArmor refused"
	switch {
	case errors.Is(err, confine.ErrNoParser):
		hint = "install the package apparmor"
	case errors.Is(err, fs.ErrNotExist):
		hint = "mount -t securityfs securityfs /sys/kernel/security"
	}
	e.log.Warn("tasks run without an AppArmor profile", "error", err, "hint", hint)
}

func loadProfile(ctx context.Context, a *confine.AppArmor) error {
	ctx, cancel := context.WithTimeout(ctx, profileLimit)
	defer cancel()
	return a.Load(ctx)
}

// profile returns the name of the AppArmor profile for a task's containers, ""
// for none. Some programs remove profiles that have no file below /etc
// (aa-remove-unknown): then it is loaded again.
func (e *Engine) profile(ctx context.Context) (string, error) {
	if e.apparmor == nil {
		return "", nil
	}
	if loaded, err := e.apparmor.Loaded(); err != nil || loaded {
		return confine.Profile, err
	}
	machine, err := lockMachine()
	if err != nil {
		return "", err
	}
	defer func() { _ = machine.Close() }()
	if err := loadProfile(ctx, e.apparmor); err != nil {
		return "", fmt.Errorf("confine task: %w", err)
	}
	return confine.Profile, nil
}

// checkLabels fails with a *Missing where tasks are to have labels of SELinux
// and there are none for them.
func (e *Engine) checkLabels() error {
	if !e.cfg.SELinux {
		if confine.SELinuxEnabled() {
			e.log.Info("tasks have no SELinux labels of their own", "hint", "neargate serve --selinux")
		}
		return nil
	}
	l, err := confine.NewLabels()
	l.Release()
	switch {
	case errors.Is(err, confine.ErrNoSELinux):
		return &Missing{err.Error(), "leave out --selinux"}
	case errors.Is(err, confine.ErrNoPolicy):
		return &Missing{err.Error(), "install the package container-selinux, or leave out --selinux"}
	case err != nil:
		return fmt.Errorf("open runtime: %w", err)
	}
	return nil
}
