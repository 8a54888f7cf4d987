package supervisor

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// HolderArgument is the hidden first argument of a holder's process.
const HolderArgument = "pid-namespace-holder"

// holderProgramFD is the descriptor by which a holder is started.
const holderProgramFD = gateFD + 1

// nobody is a user and a group that no process of an image is likely to have.
const nobody = 65534

// Hold is the whole life of a holder: it shuts itself in and waits for whatever is
// left to it, until it is killed. It returns the exit code of one that could not.
func Hold() int {
	ended := make(chan os.Signal, 1)
	signal.Ignore() // all that can be
	signal.Notify(ended, unix.SIGCHLD)
	if err := shutIn(); err != nil {
		_, _ = unix.Write(gateFD, []byte(err.Error()))
		return initFailed
	}
	passGate()
	for range ended {
		for pid := 1; pid > 0; {
			pid, _ = unix.Wait4(-1, nil, unix.WNOHANG, nil)
		}
	}
	return 0
}

// shutIn leaves nothing of the machine to this process but the way in for its
// filter.
func shutIn() error {
	if err := unix.Close(holderProgramFD); err != nil {
		return fmt.Errorf("close the program: %w", err)
	}
	unix.CloseOnExec(gateFD)
	// The mount namespace is its own: an empty file system in place of all others.
	const at, flags = "/proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("none", at, "tmpfs", flags, "size=0,mode=0555"); err != nil {
		return fmt.Errorf("mount an empty root: %w", err)
	}
	if err := unix.Chdir(at); err != nil {
		return fmt.Errorf("enter the empty root: %w", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("enter the empty root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	if err := unix.Mount("", "/", "", flags|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("protect the empty root: %w", err)
	}
	// These of syscall are for every thread; with the user go all capabilities.
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("leave groups: %w", err)
	}
	if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
		return fmt.Errorf("become nobody: %w", err)
	}
	if err := syscall.Setresuid(nobody, nobody, nobody); err != nil {
		return fmt.Errorf("become nobody: %w", err)
	}
	return nil
}
