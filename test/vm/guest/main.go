// Command guest is the first process of a virtual machine that runs tests. It
// makes a usable Linux of the kernel and the disk, runs what the plan says,
// reports over the second serial port, and powers the machine off. Under the
// name "go" it stands in for the go tool, which the machine has not.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"neargate/test/vm/plan"
)

func main() {
	switch {
	case filepath.Base(os.Args[0]) == "go":
		if err := handOut(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(os.Args) > 1 && os.Args[1] == "run":
		r, err := openReporter()
		if err == nil {
			err = run(r)
		}
		if err != nil {
			fmt.Println("guest:", err)
			if r != nil {
				r.send(plan.Frame{Error: err.Error()})
			}
		}
	default:
		if err := start(); err != nil {
			fmt.Println("guest:", err)
		}
		unix.Sync()
		_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	}
}

// start prepares the machine, starts the run, and buries every process that
// loses its parent, until the run has ended.
func start() error {
	if err := setUp(); err != nil {
		return err
	}
	cmd := exec.Command(plan.Init, "run")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root", "TMPDIR=/tmp"}
	if err := cmd.Start(); err != nil {
		return err
	}
	for {
		pid, err := unix.Wait4(-1, nil, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for processes: %w", err)
		case pid == cmd.Process.Pid:
			return nil
		}
	}
}
