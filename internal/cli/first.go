package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// runAsFirst does the duties of a container's first process, for commands that
// start others which may outlive their parent: it runs this same command line in a process beside it, passes signals on to it, and waits for
// whatever else has lost its parent. It returns that process's exit code. What
// is left then, tasks too, ends with the container.
func runAsFirst(stderr io.Writer) int {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH)
	attributes := &unix.SysProcAttr{Setpgid: true}
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		attributes.Foreground = true // the terminal's Ctrl-C goes to it, once
	}
	process, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Env: os.Environ(), Sys: attributes})
	if err != nil {
		report(stderr, fmt.Errorf("start beside the first process: %w", err))
		return exitFailed
	}
	var passing sync.WaitGroup
	passing.Go(func() {
		for s := range signals {
			_ = process.Signal(s) // it may just have ended
		}
	})
	code := reapUntil(process.Pid)
	signal.Stop(signals)
	close(signals)
	passing.Wait()
	return code
}

// reapUntil waits for every child that ends, until the one does, and returns its
// exit code as shells do.
func reapUntil(pid int) int {
	for {
		var status unix.WaitStatus
		ended, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return exitFailed // there is no child, not even that one
		case ended == pid && status.Signaled():
			return 128 + int(status.Signal())
		case ended == pid && status.Exited():
			return status.ExitStatus()
		}
	}
}
